// The JSON that travels between page and server, by REST and by websocket. Import these types from nowhere else.

/* ---------- config ---------- */

/** A component of the catalogue with its parameters, e.g. `{ kind: "adam", lr: 0.03 }`. */
export interface Component {
  kind: string;
  [parameter: string]: unknown;
}
export interface Layer {
  width: number;
  activation: Component;
  normalization: Component;
  dropout: number;
}
export interface Config {
  version: number;
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
  type: "number" | "integer" | "boolean" | "component";
  /** The family that a field of type `component` takes a member of. */
  family?: Family | null;
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
  /** Whether the compiled trainer can use it; null where it makes no difference. */
  compiled?: boolean | null;
  /** Losses: the tasks that they fit. */
  tasks?: Task["kind"][] | null;
  /** Data sets: the task that they pose, null where it depends. */
  task?: Task["kind"] | null;
  synthetic?: boolean | null;
}
export type Family =
  | "activation"
  | "normalization"
  | "output_activation"
  | "loss"
  | "optimizer"
  | "init"
  | "data"
  | "feature";
/** A scalar of the config outside components, by its path: "batch_size", "hidden.width". */
export interface FieldOfConfig extends Parameter {
  path: string;
}
export interface Limits {
  hidden_layers: number;
  width: number;
  classes: number;
  points: number;
  inputs: number;
  csv_bytes: number;
  message_bytes: number;
  /** Both inputs of the square run from minus this to this. */
  half_span: number;
}
export interface Catalogue {
  components: Record<Family, Kind[]>;
  fields: FieldOfConfig[];
  default: Config;
  limits: Limits;
  schema: unknown;
}

/* ---------- what the server says ---------- */

/** Something for a person: a key of the translations with values for its placeholders, and its English. */
export interface Text {
  code: string;
  values: Record<string, Value>;
  text: string;
}
export type Value = string | number | string[] | Text;
/** The same beside other fields, with `detail` for the English; without a code where the page itself says it. */
export interface Explained {
  detail: string;
  code?: string;
  values?: Record<string, Value>;
}

/* ---------- events ---------- */

export interface Task {
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
export interface Divergence extends Explained {
  step: number;
  layer: number | null;
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
  effect: Text[];
  label: Text[];
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
  code: string;
  values: Record<string, Value>;
  fits: unknown[] | null;
  suggestion: Patch | null;
}
export interface Failure extends Explained {
  status: number;
  title: string;
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
      task: Task;
      state: RunState;
      viewers: number;
    }
  | { type: "ack"; id: string; step?: number; change?: Patch; effect?: Text[]; [result: string]: unknown }
  | ({ type: "error"; id?: string } & Failure)
  | { type: "changed"; entry: Entry; config: Config; task: Task }
  | ({ type: "state" } & RunState)
  | { type: "reset"; run: number; config: Config }
  | { type: "role"; role: Role }
  | { type: "replaced" }
  | ({ type: "notice" } & Explained)
  | { type: "viewers"; count: number };

export type Command =
  | { type: "authorize"; key: string }
  | { type: "watch"; rate: number }
  | { type: "ack"; frame: number }
  | { type: "play" }
  | { type: "pause" }
  | { type: "reset" }
  | ({ type: "speed" } & Speed)
  | ({ type: "step" } & ({ steps: number } | { epochs: number }))
  | { type: "change"; change: Patch }
  | ({ type: "weight" } & WeightEdit);

/* ---------- headers of binary messages ---------- */

export interface LayerShape {
  inputs: number;
  width: number;
}
export interface FrameHeader {
  type: "frame";
  frame: number;
  run: number;
  step: number;
  epoch: number;
  /** Hidden layers in order, the output layer last. */
  layers: LayerShape[];
}
export interface DataHeader {
  type: "data";
  run: number;
  task: Task;
  /** Names of the feature maps in order: every feature that these data offer, used or not. */
  features: string[];
}
export interface MetricsHeader {
  type: "metrics";
  run: number;
  /** It tells of the moment of the frame that comes next, and is no part of the history. */
  current?: true;
  /** The history keeps samples whose step is a multiple of this. */
  stride?: number;
  columns: string[];
}

/* ---------- REST ---------- */

export interface CreatedSession {
  id: string;
  key: string;
  config: Config;
}
/** Points for a picture of a data set: [x1, x2, target] each, at most 300. */
export interface Preview {
  task: Task;
  train: [number, number, number][];
  test: [number, number, number][];
}
export interface UploadedTable {
  id: string;
  columns: { name: string; kind: "number" | "label"; [more: string]: unknown }[];
  rows: number;
  task: Task["kind"] | Task;
  classes: number;
  preview: unknown;
  [more: string]: unknown;
}
