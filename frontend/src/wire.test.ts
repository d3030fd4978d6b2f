import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { DataMessage, DEAD, decode, Frame, MetricsMessage, SATURATED, valueAt } from "./wire";

const BYTES = { uint8: 1, int32: 4, int64: 8, float32: 4, float64: 8 };

/** A message by the letter of the format, written independently of the decoder. */
function message(
  header: object,
  arrays: { name: string; dtype: keyof typeof BYTES; values: number[]; shape?: number[] }[],
) {
  let length = 0;
  const placed = arrays.map((array) => {
    const offset = length;
    length += Math.ceil((array.values.length * BYTES[array.dtype]) / 8) * 8;
    return { ...array, offset };
  });
  const list = placed.map(({ name, dtype, values, shape, offset }) => ({
    name,
    dtype,
    shape: shape ?? [values.length],
    offset,
  }));
  let text = JSON.stringify({ ...header, arrays: list });
  while ((8 + new TextEncoder().encode(text).length) % 8) text += " ";
  const head = new TextEncoder().encode(text);
  const buffer = new ArrayBuffer(8 + head.length + length);
  const view = new DataView(buffer);
  new Uint8Array(buffer).set(new TextEncoder().encode("NNPG"));
  view.setUint32(4, head.length, true);
  new Uint8Array(buffer).set(head, 8);
  for (const { dtype, values, offset } of placed) {
    values.forEach((value, i) => {
      const at = 8 + head.length + offset + i * BYTES[dtype];
      if (dtype === "uint8") view.setUint8(at, value);
      else if (dtype === "int32") view.setInt32(at, value, true);
      else if (dtype === "int64") view.setBigInt64(at, BigInt(value), true);
      else if (dtype === "float32") view.setFloat32(at, value, true);
      else view.setFloat64(at, value, true);
    });
  }
  return buffer;
}

it("reads a frame without copying its arrays", () => {
  const buffer = message({ type: "frame", frame: 7, run: 1, step: 120, epoch: 4.8, layers: [] }, [
    { name: "weight.0", dtype: "float32", values: [0.5, -1, 2, 0.25], shape: [2, 2] },
    { name: "neurons", dtype: "uint8", values: [0, 127, 255] },
    { name: "confusion", dtype: "int32", values: [3, -1] },
  ]);
  const frame = decode(buffer);
  expect(frame).toBeInstanceOf(Frame);
  expect((frame as Frame).frame).toBe(7);
  expect((frame as Frame).epoch).toBe(4.8);
  expect([...frame.arrays["weight.0"]]).toEqual([0.5, -1, 2, 0.25]);
  expect(frame.shape("weight.0")).toEqual([2, 2]);
  expect([...frame.arrays.neurons]).toEqual([0, 127, 255]);
  expect([...frame.arrays.confusion]).toEqual([3, -1]);
  expect(frame.arrays["weight.0"].buffer).toBe(buffer);
});

it("tells messages apart, and reads names in any script", () => {
  const task = { kind: "binary", class_labels: ["ja", "näin 学"] };
  const data = decode(message({ type: "data", run: 0, task, features: ["x1"] }, []));
  expect(data).toBeInstanceOf(DataMessage);
  expect((data as DataMessage).task.class_labels[1]).toBe("näin 学");
  expect(decode(message({ type: "metrics", columns: [], stride: 1 }, []))).toBeInstanceOf(MetricsMessage);
});

it("hands on an unknown type and an unknown array, so that the server may add them", () => {
  const novel = decode(message({ type: "novel" }, [{ name: "big", dtype: "int64", values: [2 ** 40, -1] }]));
  expect([...novel.arrays.big]).toEqual([2 ** 40, -1]);
});

it("has nothing for an array that is not there", () => {
  const frame = decode(message({ type: "frame" }, [])) as Frame;
  expect("confidence" in frame.arrays).toBe(false);
  expect(frame.confidence).toBeNull();
  expect(frame.shape("confidence")).toEqual([]);
  expect(frame.neuronMap(0, 0)).toBeNull();
  expect(frame.weight(0, 0, 0)).toBeUndefined();
  expect(frame.bias(0, 0)).toBeUndefined();
  expect(frame.confusion("train")).toBeNull();
  expect(frame.scores("train")).toBeNull();
  expect(frame.predictions("test").length).toBe(0);
});

it("has maps and weights of what is drawn, by the numbers of neurons", () => {
  const drawn = decode(
    message(
      {
        type: "frame",
        layers: [
          { inputs: 2, width: 3 },
          { inputs: 3, width: 2 },
        ],
        run: 0,
      },
      [
        { name: "weight.0", dtype: "float32", values: [1, 2, 3, 4, 5, 6], shape: [2, 3] },
        { name: "weight.1", dtype: "float32", values: [7, 8], shape: [2, 1] },
        { name: "weight_sources.1", dtype: "int32", values: [0, 2], shape: [2] },
        { name: "weight_units.1", dtype: "int32", values: [1], shape: [1] },
        { name: "neurons", dtype: "uint8", values: [10, 11], shape: [2, 1, 1] },
        { name: "neurons_range", dtype: "float32", values: [0, 1, 0, 2], shape: [2, 2] },
        { name: "neurons_index", dtype: "int32", values: [2, 4], shape: [2] },
      ],
    ),
  ) as Frame;
  expect(drawn.neuronMap(0, 2)).toMatchObject({ hi: 1 });
  expect(drawn.neuronMap(1, 1)).toMatchObject({ hi: 2 });
  expect([drawn.neuronMap(0, 0), drawn.neuronMap(1, 0)]).toEqual([null, null]);
  expect(drawn.neuronMaps.map(({ bytes }) => bytes[0])).toEqual([10, 11]);
  expect(drawn.weight(0, 1, 2)).toBe(6);
  expect([drawn.weight(1, 0, 1), drawn.weight(1, 2, 1)]).toEqual([7, 8]);
  expect([drawn.weight(1, 1, 1), drawn.weight(1, 0, 0)]).toEqual([undefined, undefined]);
});

describe("a frame of two features, three hidden units and two outputs", () => {
  const layers = [
    { inputs: 2, width: 3 },
    { inputs: 3, width: 2 },
  ];
  const byte = (values: number, shape: number[]) => ({
    dtype: "uint8" as const,
    values: Array.from({ length: values }, (_, i) => i),
    shape,
  });
  const frame = decode(
    message({ type: "frame", layers, run: 0 }, [
      { name: "weight.0", dtype: "float32", values: [1, 2, 3, 4, 5, 6], shape: [2, 3] },
      { name: "bias.0", dtype: "float32", values: [7, 8, 9] },
      { name: "gamma.0", dtype: "float32", values: [1, 2, 3] },
      { name: "beta.0", dtype: "float32", values: [4, 5, 6] },
      { name: "weight.1", dtype: "float32", values: [1, 2, 3, 4, 5, 6], shape: [3, 2] },
      { name: "alpha.1", dtype: "float32", values: [0.5] },
      { name: "neurons", ...byte(20, [5, 2, 2]) },
      { name: "neurons_range", dtype: "float32", values: [0, 1, 0, 2, 0, 3, 0, 4, -5, 5], shape: [5, 2] },
      { name: "decision", ...byte(4, [2, 2]) },
      { name: "decision_range", dtype: "float32", values: [0, 1] },
      { name: "confusion", dtype: "int32", values: [1, 2, 3, 4, 5, 6, 7, 8], shape: [2, 2, 2] },
      { name: "scores", dtype: "float32", values: [...Array(18).keys()], shape: [2, 3, 3] },
      { name: "train_predictions", dtype: "uint8", values: [0, 1, 1] },
    ]),
  ) as Frame;

  it("has each weight by its layer, source and unit", () => {
    expect(frame.weight(0, 1, 0)).toBe(4);
    expect(frame.weight(1, 2, 1)).toBe(6);
    expect(frame.weight(1, 0, 2)).toBeUndefined();
    expect(frame.weight(2, 0, 0)).toBeUndefined();
    expect(frame.bias(0, 2)).toBe(9);
  });

  it("has scale and shift where a layer is normalised", () => {
    expect(frame.normalization(0, 1)).toEqual({ gamma: 2, beta: 5 });
    expect(frame.normalization(1, 1)).toBeNull();
  });

  it("has what an activation learned, one number for a layer", () => {
    expect(frame.learned(1, "alpha")).toBe(0.5);
    expect(frame.learned(0, "alpha")).toBeUndefined();
  });

  it("numbers the maps layer by layer", () => {
    expect(frame.neuronMap(0, 2)).toMatchObject({ size: 2, lo: 0, hi: 3 });
    const last = frame.neuronMap(1, 1)!;
    expect([...last.bytes]).toEqual([16, 17, 18, 19]);
    expect([last.lo, last.hi]).toEqual([-5, 5]);
    expect(frame.neuronMap(0, 3)).toBeNull();
    expect(frame.neuronMap(-1, 0)).toBeNull();
  });

  it("reads a map's bytes as values between its ends", () => {
    const map = { bytes: Uint8Array.of(0, 51, 255), size: 1, lo: -5, hi: 5 };
    expect([0, 1, 2].map((cell) => valueAt(map, cell))).toEqual([-5, -3, 5]);
  });

  it("tells by its arrays what is learned", () => {
    expect(frame.taskKind).toBe("binary");
    expect(frame.decision).toMatchObject({ size: 2, lo: 0, hi: 1 });
    expect(frame.confusion("train")).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(frame.confusion("test")?.[1]).toEqual([7, 8]);
    expect(frame.scores("train")?.[2]).toEqual([6, 7, 8]);
    expect(frame.scores("test")?.[0]).toEqual([9, 10, 11]);
    expect([...Array.from(frame.predictions("train"))]).toEqual([0, 1, 1]);
    const values = decode(message({ type: "frame", layers }, [])) as Frame;
    expect(values.taskKind).toBe("regression");
  });
});

it("tells copies of points from the points", () => {
  const data = decode(
    message({ type: "data", run: 0, task: { inputs: 2 }, features: [], copies: 1 }, [
      { name: "train_inputs", dtype: "float32", values: [1, 2, 3, 4], shape: [2, 2] },
      { name: "train_targets", dtype: "float32", values: [0, 1] },
    ]),
  ) as DataMessage;
  expect(data.points("train")).toMatchObject({ targets: Float32Array.of(0, 1), copies: 1 });
  const own = { inputs: Float32Array.of(1, 2), targets: Float32Array.of(0), columns: 2, copies: 0 };
  expect(data.originals("train")).toEqual(own);
  expect(data.originals("test").targets.length).toBe(0);
});

it("has the points and the map of each feature of the data", () => {
  const data = decode(
    message({ type: "data", run: 0, task: { inputs: 2 }, features: ["x1", "x2"] }, [
      { name: "train_inputs", dtype: "float32", values: [1, 2, 3, 4], shape: [2, 2] },
      { name: "train_targets", dtype: "float32", values: [0, 1] },
      { name: "feature_maps", dtype: "uint8", values: [1, 2], shape: [2, 1, 1] },
      { name: "feature_ranges", dtype: "float32", values: [-6, 6, -3, 3], shape: [2, 2] },
    ]),
  ) as DataMessage;
  expect(data.points("train")).toEqual({
    inputs: Float32Array.of(1, 2, 3, 4),
    targets: Float32Array.of(0, 1),
    columns: 2,
    copies: 0,
  });
  expect(data.originals("train")).toEqual(data.points("train"));
  expect(data.points("test").targets.length).toBe(0);
  expect(data.featureMap(1)).toEqual({ bytes: Uint8Array.of(2), size: 1, lo: -3, hi: 3 });
  expect(data.featureMap(2)).toBeNull();
});

it("puts the points where the axes of the maps have them", () => {
  const at = (axes: unknown, projection: number[], offset: number[]) =>
    (
      decode(
        message({ type: "data", run: 0, task: { inputs: 3 }, features: [], axes }, [
          { name: "train_inputs", dtype: "float32", values: [1, 2, 3, 4, 5, 6], shape: [2, 3] },
          { name: "train_targets", dtype: "float32", values: [0, 1] },
          { name: "projection", dtype: "float32", values: projection, shape: [2, 3] },
          { name: "projection_offset", dtype: "float32", values: offset },
        ]),
      ) as DataMessage
    ).places("train");
  const over = (...inputs: (number | null)[]) => inputs.map((input) => ({ input, range: null }));
  expect([...(at(over(2, 0), [0, 0, 1, 1, 0, 0], [0, 0]).inputs as Float32Array)]).toEqual([3, 1, 6, 4]);
  const { inputs, columns } = at(over(null, null), [0.5, 0.5, 0, 0, 0, 2], [-1, 1]);
  expect([columns, ...(inputs as Float32Array)]).toEqual([2, 0.5, 7, 3.5, 13]);
  // Over the first two inputs they are the inputs themselves.
  expect(at(over(0, 1), [1, 0, 0, 0, 1, 0], [0, 0]).columns).toBe(3);
});

it("reads the rows of the history", () => {
  const metrics = decode(
    message({ type: "metrics", columns: ["index", "train_loss"], stride: 1 }, [
      { name: "samples", dtype: "float64", values: [0, 0.5, 1, 0.25], shape: [2, 2] },
    ]),
  ) as MetricsMessage;
  expect(metrics.length).toBe(2);
  expect(metrics.current).toBe(false);
  expect(metrics.value(1, 1)).toBe(0.25);
});

it("refuses what is no message, or is cut off", () => {
  expect(() => decode(new ArrayBuffer(3))).toThrow();
  expect(() => decode(new TextEncoder().encode("{}{}{}{}").buffer as ArrayBuffer)).toThrow("not a message");
  const whole = message({ type: "frame" }, [{ name: "a", dtype: "float64", values: [1, 2, 3] }]);
  expect(() => decode(whole.slice(0, 20))).toThrow("cut off");
  expect(() => decode(whole.slice(0, -8))).toThrow();
});

it("reads the golden frame as Python has written it", () => {
  const golden = (name: string) => readFileSync(new URL(`../../tests/golden/${name}`, import.meta.url));
  const expected = JSON.parse(golden("frame.json").toString());
  const frame = decode(new Uint8Array(golden("frame.bin")).buffer);
  expect(frame.header).toMatchObject(expected.header);
  expect(Object.keys(frame.arrays)).toEqual(Object.keys(expected.arrays));
  for (const [name, array] of Object.entries<{ dtype: string; shape: number[]; values: number[] }>(
    expected.arrays,
  )) {
    expect(frame.shape(name)).toEqual(array.shape);
    expect(frame.arrays[name].constructor.name.toLowerCase()).toBe(
      `${array.dtype.replace("int64", "float64")}array`,
    );
    expect([...frame.arrays[name]]).toEqual(array.values);
  }
});

it("knows how units fare, and what dropout silenced", () => {
  const layers = [
    { inputs: 1, width: 2 },
    { inputs: 2, width: 1 },
    { inputs: 1, width: 1 },
  ];
  const arrays = {
    unit_states: Uint8Array.of(0, DEAD, SATURATED),
    dropped: Uint8Array.of(1, 0, 1, 0),
    dropped_share: Float32Array.of(0.5, 0, 1, 0),
  };
  const frame = new Frame({ layers }, arrays);
  expect([frame.unitState(0, 0), frame.unitState(0, 1), frame.unitState(1, 0)]).toEqual([0, DEAD, SATURATED]);
  expect([frame.unitState(2, 0), frame.unitState(1, 5)]).toEqual([0, 0]);
  expect(frame.dropped(-1, 0)).toEqual({ first: true, share: 0.5 });
  expect(frame.dropped(0, 1)).toEqual({ first: true, share: 1 });
  expect(frame.dropped(2, 0)).toBe(null);
  expect(new Frame({ layers }, {}).dropped(0, 0)).toBe(null);
});
