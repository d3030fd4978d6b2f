import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { DataMessage, decode, Frame, MetricsMessage } from "./wire";

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
  expect([...frame.f32("weight.0")]).toEqual([0.5, -1, 2, 0.25]);
  expect(frame.shape("weight.0")).toEqual([2, 2]);
  expect([...frame.u8("neurons")]).toEqual([0, 127, 255]);
  expect([...frame.i32("confusion")]).toEqual([3, -1]);
  expect(frame.f32("weight.0").buffer).toBe(buffer);
});

it("tells messages apart, and reads names in any script", () => {
  const problem = { kind: "binary", class_labels: ["ja", "näin 学"] };
  const data = decode(message({ type: "data", run: 0, problem, features: ["x1"] }, []));
  expect(data).toBeInstanceOf(DataMessage);
  expect((data as DataMessage).problem.class_labels[1]).toBe("näin 学");
  expect(decode(message({ type: "metrics", columns: [], stride: 1 }, []))).toBeInstanceOf(MetricsMessage);
});

it("hands on an unknown type and an unknown array, so that the server may add them", () => {
  const novel = decode(message({ type: "novel" }, [{ name: "big", dtype: "int64", values: [2 ** 40, -1] }]));
  expect([...novel.arrays.big]).toEqual([2 ** 40, -1]);
});

it("has an empty array for one that is not there", () => {
  const frame = decode(message({ type: "frame" }, []));
  expect(frame.has("confidence")).toBe(false);
  expect(frame.u8("confidence").length).toBe(0);
  expect(frame.shape("confidence")).toEqual([]);
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
