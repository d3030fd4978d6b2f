import { expect, it } from "vitest";
import type { AxisHeader, Task } from "../types";
import { heldInputs, listed, sentence, valuesOf } from "./slice";

const task = {
  input_names: ["a", "b", "c", "d"],
  input_ranges: [
    [0, 1],
    [0, 1],
    [10, 20],
    [0, 2],
  ],
} as unknown as Task;

const over = (...inputs: (number | null)[]): AxisHeader[] =>
  inputs.map((input) => ({ input, range: null, share: null }));
const first = over(0, 1);

it("names the inputs that the network sees and the map is not drawn over, in their own units", () => {
  expect(heldInputs(task, first, ["x1", "x2", "x4"], [15, 1.5], 6)).toEqual([
    { name: "d", value: 1.5, low: 0, high: 2 },
  ]);
  expect(heldInputs(task, first, ["x1", "x2", "x1*x2"], [15, 1.5], 6)).toEqual([]);
  const scaled = { ...task, input_ranges: null };
  expect(heldInputs(scaled, first, ["x3"], [1, 2], 6)).toEqual([{ name: "c", value: 1, low: -6, high: 6 }]);
});

it("holds what other axes leave, and nothing where components are drawn", () => {
  const inputs = heldInputs(task, over(3, 1), ["x1", "x3", "x4"], [0.5, 12], 6);
  expect(inputs.map(({ name, value }) => `${name} ${value}`)).toEqual(["a 0.5", "c 12"]);
  expect(heldInputs(task, over(null, null), ["x1", "x2", "x3"], [], 6)).toEqual([]);
});

it("goes through a point, within the bounds", () => {
  expect(valuesOf(task, over(0, 3), [-6, 0, 3, 6], 6)).toEqual({ b: 0.5, c: 17.5 });
  expect(valuesOf(task, first, [0, 0, 6.5, -7], 6)).toEqual({ c: 20, d: 0 });
  expect(listed({ a: 1, b: 2.5, c: 3, d: 4, e: 5 })).toBe("a 1, b 2.5, c 3 and 2 more");
});

it("says what is held fixed, and which of it is a mean", () => {
  const inputs = heldInputs(task, first, ["x3", "x4"], [15, 1.5], 6);
  expect(sentence(inputs, {})).toBe("Held fixed at their means: c 15, d 1.5");
  expect(sentence(inputs, { d: 1.5 })).toBe("Held fixed: d 1.5, c 15 (mean)");
});

it("names a few of many, those first that were moved", () => {
  const inputs = ["c", "d", "e", "f", "g"].map((name, value) => ({ name, value, low: 0, high: 9 }));
  expect(sentence(inputs, { g: 4 })).toBe("Held fixed: g 4, c 0 (mean), d 1 (mean) and 2 more");
});
