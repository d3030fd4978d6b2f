// Decodes the binary messages of the server.
import type { LayerShape, Problem } from "./types";

export type NumberArray = Uint8Array | Int32Array | Uint32Array | Float32Array | Float64Array;

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
