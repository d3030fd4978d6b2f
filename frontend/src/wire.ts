// What travels between page and server: the binary messages and the types of everything that is JSON.

/* ---------- config ---------- */

/** A component of the catalogue with its parameters, e.g. `{ kind: "adam", lr: 0.03 }`. */
export interface Component {
  kind: string;
  [parameter: string]: unknown;
}
export interface Layer {
  width: number;
  activation: Component;
  batchnorm: boolean;
  dropout: number;
}
export interface Config {
  data: Component;
  features: string[];
  hidden: Layer[];
  output: { activation: Component };
  loss: Component;
  optimizer: Component;
  batch_size: number;
  shuffle: boolean;
  input_dropout: number;
  l1: number;
  l2: number;
  clip_norm: number | null;
  init: Component;
  seed: number;
}
/** A JSON merge patch (RFC 7396) of the config. Lists are replaced whole. */
export type Patch = Record<string, unknown>;

/* ---------- catalogue ---------- */

export interface Parameter {
  name: string;
  label: string;
  help: string;
  type: "number" | "integer" | "boolean" | "string" | "array";
  default: unknown;
  minimum?: number | null;
  maximum?: number | null;
  exclusive_minimum?: number | null;
  exclusive_maximum?: number | null;
  scale?: "linear" | "log";
  choices?: (string | number)[] | null;
  nullable?: boolean;
}
export interface Kind {
  kind: string;
  label: string;
  help: string;
  formula: string;
  parameters: Parameter[];
  /** Activations, losses, optimizers: whether the fused trainer can use it. */
  fused?: boolean;
  /** Losses: the problems that they fit. */
  problems?: Problem["kind"][];
  /** Data sets: the problem that they pose, null where it depends. */
  problem?: Problem["kind"] | null;
  synthetic?: boolean;
}
export type Family = "activation" | "output_activation" | "loss" | "optimizer" | "init" | "data" | "feature";
/** A scalar of the config outside components, by its path: "batch_size", "hidden.width". */
export interface FieldOfConfig extends Parameter {
  path: string;
}
export interface Catalogue {
  components: Record<Family, Kind[]>;
  fields: FieldOfConfig[];
  default: Config;
  limits: Record<string, number | number[]>;
  schema: unknown;
}

/* ---------- events ---------- */

export interface Problem {
  kind: "binary" | "multiclass" | "regression";
  classes: number;
  inputs: number;
  class_labels: string[];
  input_names: string[];
  target_range?: [number, number];
  /** What -6 and 6 stand for in each input, where the data came in other units. */
  input_ranges?: [number, number][] | null;
}
export type Speed = { epochs_per_second: number } | { steps_per_second: number } | { max: true };
export interface Divergence {
  step: number;
  layer: number | null;
  detail: string;
}
export interface RunState {
  playing: boolean;
  speed: Speed;
  step: number;
  epoch: number;
  diverged: Divergence | null;
}
/** One change of the timeline; `undo` is the patch that takes it back. A weights edit has an empty `change`. */
export interface Entry {
  step: number;
  epoch: number;
  change: Patch;
  undo: Patch;
  effect: string[];
  label: string;
  weights?: unknown;
}
/** Of one weight (`source` is the unit below) or, with `source` null, of a bias. */
export interface WeightEdit {
  layer: number;
  source: number | null;
  unit: number;
  value: number;
}
export interface FieldError {
  field: string;
  message: string;
  fits: unknown[] | null;
  suggestion: Patch | null;
}
export interface Failure {
  status: number;
  title: string;
  detail: string;
  errors?: FieldError[];
}
export type Role = "holder" | "viewer";

export type Event =
  | {
      type: "hello";
      version: number;
      session: string;
      role: Role;
      run: number;
      config: Config;
      timeline: Entry[];
      problem: Problem;
      state: RunState;
      viewers: number;
    }
  | { type: "ack"; id: string; step?: number; change?: Patch; effect?: string[]; [result: string]: unknown }
  | ({ type: "error"; id?: string } & Failure)
  | { type: "changed"; entry: Entry; config: Config; problem: Problem }
  | ({ type: "state" } & RunState)
  | { type: "reset"; run: number; config: Config }
  | { type: "role"; role: Role }
  | { type: "replaced" }
  | { type: "notice"; code: string; detail: string }
  | { type: "viewers"; count: number };

export type Command =
  | { type: "authorize"; key: string }
  | { type: "watch"; rate: number; neurons: number; output: number }
  | { type: "ack"; frame: number }
  | { type: "play" }
  | { type: "pause" }
  | { type: "reset" }
  | ({ type: "speed" } & Speed)
  | ({ type: "step" } & ({ steps: number } | { epochs: number }))
  | { type: "change"; change: Patch }
  | ({ type: "weight" } & WeightEdit);

/* ---------- binary messages ---------- */

export type NumberArray = Uint8Array | Int32Array | Uint32Array | Float32Array | Float64Array;

export interface LayerShape {
  inputs: number;
  width: number;
  batchnorm: boolean;
}

/** A decoded binary message: its header, and views (no copies) into the received buffer. */
export class Message {
  constructor(
    // biome-ignore lint/suspicious/noExplicitAny: a header is open, new names never break the decoder
    readonly header: Record<string, any>,
    readonly arrays: Record<string, NumberArray>,
    private readonly shapes: Record<string, number[]>,
  ) {}

  /** The shape of an array; empty when there is no such array. */
  shape(name: string): number[] {
    return this.shapes[name] ?? [];
  }

  f32(name: string): Float32Array {
    return (this.arrays[name] as Float32Array | undefined) ?? NO_FLOATS;
  }

  u8(name: string): Uint8Array {
    return (this.arrays[name] as Uint8Array | undefined) ?? NO_BYTES;
  }

  i32(name: string): Int32Array {
    return (this.arrays[name] as Int32Array | undefined) ?? NO_INTS;
  }

  has(name: string): boolean {
    return name in this.arrays;
  }
}

/** What is shown at one moment. Never put one into reactive state. */
export class Frame extends Message {
  get frame(): number {
    return this.header.frame;
  }
  get run(): number {
    return this.header.run;
  }
  get step(): number {
    return this.header.step;
  }
  get epoch(): number {
    return this.header.epoch;
  }
  /** Hidden layers in order, the output layer last. */
  get layers(): LayerShape[] {
    return this.header.layers;
  }
}

/** Points and feature maps; comes on connecting and when data or features change. */
export class DataMessage extends Message {
  get run(): number {
    return this.header.run;
  }
  get problem(): Problem {
    return this.header.problem;
  }
  /** Names of `feature_maps` in order: every feature that these data offer, used or not. */
  get features(): string[] {
    return this.header.features;
  }
}

/** Rows of the history: `samples` is float64 (k, columns), NaN for null. */
export class MetricsMessage extends Message {
  get run(): number {
    return this.header.run;
  }
  get stride(): number {
    return this.header.stride;
  }
  get columns(): string[] {
    return this.header.columns;
  }
}

const NO_FLOATS = new Float32Array();
const NO_BYTES = new Uint8Array();
const NO_INTS = new Int32Array();
const MAGIC = 0x47504e4e; // "NNPG", little-endian

const TYPES = {
  uint8: Uint8Array,
  int32: Int32Array,
  uint32: Uint32Array,
  float32: Float32Array,
  float64: Float64Array,
} as const;

interface ArrayHeader {
  name: string;
  dtype: keyof typeof TYPES | "int64";
  shape: number[];
  offset: number;
}

/** Reads a binary message without copying. Throws when the bytes are not one. */
export function decode(buffer: ArrayBuffer): Message {
  const view = new DataView(buffer);
  if (buffer.byteLength < 8 || view.getUint32(0, true) !== MAGIC)
    throw new Error("not a message of the playground");
  const length = view.getUint32(4, true);
  const start = 8 + length;
  if (start > buffer.byteLength) throw new Error("the message is cut off");
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
  const arrays: Record<string, NumberArray> = {};
  const shapes: Record<string, number[]> = {};
  for (const { name, dtype, shape, offset } of header.arrays as ArrayHeader[]) {
    const size = shape.reduce((a, b) => a * b, 1);
    if (dtype === "int64") {
      // The one copy: a BigInt helps nobody here.
      arrays[name] = Float64Array.from(new BigInt64Array(buffer, start + offset, size), Number);
    } else {
      const Type = TYPES[dtype];
      if (!Type) throw new Error(`unknown type of array: ${dtype}`);
      arrays[name] = new Type(buffer, start + offset, size);
    }
    shapes[name] = shape;
  }
  switch (header.type) {
    case "frame":
      return new Frame(header, arrays, shapes);
    case "data":
      return new DataMessage(header, arrays, shapes);
    case "metrics":
      return new MetricsMessage(header, arrays, shapes);
    default:
      return new Message(header, arrays, shapes);
  }
}
