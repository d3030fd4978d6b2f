// Decodes the binary messages of the server. Names and layouts of their arrays are known here and nowhere else.
import type {
  ArrayHeader,
  AxisHeader,
  DataHeader,
  FrameHeader,
  LayerSize,
  MetricsHeader,
  Task,
} from "./types";

export type NumberArray = Uint8Array | Int32Array | Uint32Array | Float32Array | Float64Array;
export type Part = "train" | "test";

/** What a hidden unit is where it is not well: see `Frame.unitState`. */
export const SATURATED = 1;
export const DEAD = 2;

/** A square map over the inputs, `size` x `size`, row 0 on top: a byte of 0 stands for `lo`, 255 for `hi`. */
export interface ByteMap {
  bytes: Uint8Array;
  size: number;
  lo: number;
  hi: number;
}

/** The value of one cell of a map. */
export const valueAt = ({ bytes, lo, hi }: ByteMap, cell: number): number =>
  lo + (bytes[cell] / 255) * (hi - lo);

/** Points: n rows of `columns` numbers; the first two are their place on the map, or the inputs x1 and x2. */
export interface Points {
  inputs: ArrayLike<number>;
  targets: ArrayLike<number>;
  columns: number;
  /** So many of the last ones are copies of the others. */
  copies: number;
}

/** A decoded binary message: its header, and views (no copies) into the received buffer. */
export class Message {
  constructor(
    // biome-ignore lint/suspicious/noExplicitAny: a header is open, new names never break the decoder
    readonly header: Record<string, any>,
    readonly arrays: Record<string, NumberArray>,
    private readonly shapes: Record<string, number[]> = {},
  ) {}

  /** The shape of an array; empty when there is no such array. */
  shape(name: string): number[] {
    return this.shapes[name] ?? [];
  }

  protected floats(name: string): Float32Array {
    return (this.arrays[name] as Float32Array | undefined) ?? NO_FLOATS;
  }

  /** Map number `index` of a stack of them, or null when there are not so many. */
  protected map(maps: string, ranges: string, index: number): ByteMap | null {
    const bytes = this.arrays[maps] as Uint8Array | undefined;
    const [count, size] = this.shape(maps);
    if (!bytes || !(index >= 0 && index < count)) return null;
    const [lo, hi] = this.floats(ranges).subarray(2 * index);
    return { bytes: bytes.subarray(index * size * size, (index + 1) * size * size), size, lo, hi };
  }
}

/**
 * What is shown at one moment. Never put one into reactive state.
 *
 * Layers count from 0, the first hidden one; the output layer is the last. What a frame does not have is undefined or
 * null: while a change is on its way, the page may ask for a layer or unit that this frame does not know.
 */
export class Frame extends Message {
  declare readonly header: FrameHeader & Record<string, unknown>;
  /** The metrics of the same moment, which come just before a frame. */
  metrics: MetricsMessage | null = null;
  private readonly weights = this.layers.map((_, layer) => this.floats(`weight.${layer}`));
  private readonly biases = this.layers.map((_, layer) => this.floats(`bias.${layer}`));
  /** Places of what is there, where that is not all: of neurons among the maps, of sources and units in a weight. */
  private readonly maps = placesOf(this.arrays.neurons_index);
  private readonly rows = this.layers.map((_, layer) => placesOf(this.arrays[`weight_sources.${layer}`]));
  private readonly cols = this.layers.map((_, layer) => placesOf(this.arrays[`weight_units.${layer}`]));

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
  get layers(): LayerSize[] {
    return this.header.layers ?? [];
  }

  /** At what value each input that is not drawn is held all over the maps, in its own units. */
  get held(): number[] {
    return this.header.held ?? [];
  }

  /**
   * The weight from unit `source` of the layer below (for layer 0: of the features in use). Of a wide layer only those
   * between neurons that are drawn are there.
   */
  weight(layer: number, source: number, unit: number): number | undefined {
    if (!this.has(layer, unit)) return undefined;
    const [rows, cols] = [this.rows[layer], this.cols[layer]];
    const row = rows ? rows.get(source) : source;
    const col = cols ? cols.get(unit) : unit;
    if (row === undefined || col === undefined) return undefined;
    return this.weights[layer][row * (cols?.size ?? this.layers[layer].width) + col];
  }

  bias(layer: number, unit: number): number | undefined {
    return this.biases[layer]?.[unit];
  }

  /** Scale and shift of a normalised unit, the latter null where there is none; null when its layer is not normalised. */
  normalization(layer: number, unit: number): { gamma: number; beta: number | null } | null {
    const gamma = this.floats(`gamma.${layer}`)[unit];
    const beta = this.floats(`beta.${layer}`)[unit] ?? null;
    return gamma === undefined ? null : { gamma, beta };
  }

  /** What the activation of a layer has learned, by its name. */
  learned(layer: number, name: string): number | undefined {
    return this.floats(`${name}.${layer}`)[0];
  }

  /** What a unit answers over the inputs; null where it is not drawn. */
  neuronMap(layer: number, unit: number): ByteMap | null {
    if (!this.has(layer, unit)) return null;
    const number = this.before(layer) + unit;
    return this.map("neurons", "neurons_range", this.maps ? (this.maps.get(number) ?? -1) : number);
  }

  private before(layer: number): number {
    return this.layers.slice(0, layer).reduce((sum, { width }) => sum + width, 0);
  }

  /** Whether hardly any gradient comes through a hidden unit at the training points: `SATURATED`, `DEAD` or 0. */
  unitState(layer: number, unit: number): number {
    const states = this.arrays.unit_states as Uint8Array | undefined;
    return (this.has(layer, unit) && states?.[this.before(layer) + unit]) || 0;
  }

  /**
   * For what share of the last mini-batch dropout silenced a unit, or with layer -1 a feature in use, and whether it
   * did for the first sample; null without dropout.
   */
  dropped(layer: number, unit: number): { first: boolean; share: number } | null {
    const first = this.arrays.dropped as Uint8Array | undefined;
    const place = layer < 0 ? unit : (this.layers[0]?.inputs ?? 0) + this.before(layer) + unit;
    if (!first || place >= first.length) return null;
    return { first: first[place] > 0, share: this.floats("dropped_share")[place] };
  }

  /** What every unit that is drawn answers over the inputs. */
  get neuronMaps(): ByteMap[] {
    const [count = 0] = this.shape("neurons");
    return Array.from(
      { length: count },
      (_, place) => this.map("neurons", "neurons_range", place) ?? [],
    ).flat();
  }

  /** What the network is learning, as this frame shows it: data that change may be ahead of it. */
  get taskKind(): Task["kind"] {
    if (!("confusion" in this.arrays)) return "regression";
    return this.confidence ? "multiclass" : "binary";
  }

  /** What the network answers over the inputs: shares of class 1, values, or the numbers of classes as bytes. */
  get decision(): ByteMap | null {
    const bytes = this.arrays.decision as Uint8Array | undefined;
    const [size, ...more] = this.shape("decision");
    if (!bytes?.length || more.length !== 1) return null;
    const [lo, hi] = this.floats("decision_range");
    return { bytes, size, lo, hi };
  }

  /** The picture that the network paints: red, then green, then blue of every cell, as bytes. */
  get colours(): Pick<ByteMap, "bytes" | "size"> | null {
    const bytes = this.arrays.decision as Uint8Array | undefined;
    const [channels, size] = this.shape("decision");
    return bytes && channels === 3 && bytes.length === channels * size * size ? { bytes, size } : null;
  }

  /** The colours that the classes are, if they are: red, green, blue of each, as bytes. */
  get palette(): Uint8Array | null {
    return (this.arrays.palette as Uint8Array | undefined) ?? null;
  }

  /** How sure the network is of each class of `decision`, 255 for certain; null unless there are several. */
  get confidence(): Uint8Array | null {
    return (this.arrays.confidence as Uint8Array | undefined) ?? null;
  }

  /** How far several networks differ over the inputs, as a standard deviation; null of one. */
  get spread(): ByteMap | null {
    return this.map("spread", "spread_range", 0);
  }

  /** What the network answers along its only input, from end to end: of each class where there are more than two. */
  get curves(): Float32Array[] {
    const [count = 0, places = 0] = this.shape("curve");
    const all = this.floats("curve");
    return Array.from({ length: count }, (_, k) => all.subarray(k * places, (k + 1) * places));
  }

  /** What is predicted for each point: its class or value. */
  predictions(part: Part): ArrayLike<number> {
    return this.arrays[`${part}_predictions`] ?? NO_BYTES;
  }

  /** Where each point lies in the plane, `columns` numbers a point, or its score; none unless that is learned. */
  embedding(part: Part): { places: Float32Array; columns: number } {
    const [, columns = 0] = this.shape(`${part}_embedding`);
    return { places: this.floats(`${part}_embedding`), columns };
  }

  /** It learns to give scores that are in order. */
  get ranks(): boolean {
    return this.embedding("train").columns === 1;
  }

  /** Counts of points by [true class][predicted class]; null for a regression. */
  confusion(part: Part): number[][] | null {
    const counts = this.arrays.confusion as Int32Array | undefined;
    const [, classes] = this.shape("confusion");
    if (!counts || !classes) return null;
    const first = part === "train" ? 0 : classes * classes;
    return Array.from({ length: classes }, (_, row) => [
      ...counts.subarray(first + row * classes, first + (row + 1) * classes),
    ]);
  }

  /** Precision, recall and F1 of each class, then their mean over the classes; NaN where there is none. */
  scores(part: Part): number[][] | null {
    const all = this.floats("scores");
    const [, rows] = this.shape("scores");
    if (!rows) return null;
    const first = part === "train" ? 0 : rows * 3;
    return Array.from({ length: rows }, (_, row) => [
      ...all.subarray(first + row * 3, first + (row + 1) * 3),
    ]);
  }

  private has(layer: number, unit: number): boolean {
    return unit >= 0 && unit < (this.layers[layer]?.width ?? 0);
  }
}

/** Points and feature maps; comes on connecting and when data, features or the axes of the maps change. */
export class DataMessage extends Message {
  declare readonly header: DataHeader & Record<string, unknown>;
  private readonly placed = new Map<Part, Points>();

  get run(): number {
    return this.header.run;
  }
  get task(): Task {
    return this.header.task;
  }
  get features(): string[] {
    return this.header.features;
  }

  /** What the maps are drawn over, to the right and upwards. */
  get axes(): AxisHeader[] {
    return this.header.axes ?? [];
  }

  featureMap(index: number): ByteMap | null {
    return this.map("feature_maps", "feature_ranges", index);
  }

  /** Where the points lie on the maps. */
  places(part: Part): Points {
    const known = this.placed.get(part);
    if (known) return known;
    const places = this.project(this.points(part));
    this.placed.set(part, places);
    return places;
  }

  private project(points: Points): Points {
    const projection = this.floats("projection");
    if (!projection.length || this.axes.every(({ input }, side) => input === side)) return points;
    const offset = this.floats("projection_offset");
    const { inputs, targets, columns, copies } = points;
    const places = new Float32Array(2 * targets.length);
    for (let i = 0; i < targets.length; i++)
      for (let side = 0; side < 2; side++) {
        let sum = offset[side];
        for (let c = 0; c < columns; c++) sum += projection[side * columns + c] * inputs[i * columns + c];
        places[2 * i + side] = sum;
      }
    return { inputs: places, targets, columns: 2, copies };
  }

  /** All that there are, copies of training points too, in the order of the predictions. */
  points(part: Part): Points {
    return {
      inputs: this.floats(`${part}_inputs`),
      targets: this.floats(`${part}_targets`),
      columns: this.task.inputs,
      copies: part === "train" ? (this.header.copies ?? 0) : 0,
    };
  }

  /** Those that the data have of themselves: no copies. */
  originals(part: Part): Points {
    const { targets, columns, copies } = this.points(part);
    const count = targets.length - copies;
    return {
      inputs: this.floats(`${part}_inputs`).subarray(0, count * columns),
      targets: this.floats(`${part}_targets`).subarray(0, count),
      columns,
      copies: 0,
    };
  }
}

/** Rows of the history, one for each sample, or of the current moment. */
export class MetricsMessage extends Message {
  declare readonly header: MetricsHeader & Record<string, unknown>;

  get run(): number {
    return this.header.run;
  }
  get current(): boolean {
    return this.header.current ?? false;
  }
  get stride(): number {
    return this.header.stride ?? 1;
  }
  get columns(): string[] {
    return this.header.columns;
  }
  /** The number of rows. */
  get length(): number {
    return this.columns.length ? Math.floor(this.arrays.samples.length / this.columns.length) : 0;
  }

  /** NaN where the server has no number. */
  value(row: number, column: number): number {
    return this.arrays.samples[row * this.columns.length + column];
  }
  /** The least and the greatest value in the steps since the row before; of one moment, the value. */
  low(row: number, column: number): number {
    return (this.arrays.low ?? this.arrays.samples)[row * this.columns.length + column];
  }
  high(row: number, column: number): number {
    return (this.arrays.high ?? this.arrays.samples)[row * this.columns.length + column];
  }
}

/** Where each of these numbers stands; null where there are none. */
function placesOf(numbers: NumberArray | undefined): ReadonlyMap<number, number> | null {
  return numbers ? new Map(Array.from(numbers, (number, place) => [number, place])) : null;
}

const NO_FLOATS = new Float32Array();
const NO_BYTES = new Uint8Array();
const MAGIC = 0x47504e4e; // "NNPG", little-endian

const TYPES = {
  uint8: Uint8Array,
  int32: Int32Array,
  uint32: Uint32Array,
  float32: Float32Array,
  float64: Float64Array,
} as const;

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
