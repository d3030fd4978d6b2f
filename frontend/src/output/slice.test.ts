import { expect, it } from "vitest";
import type { Task } from "../types";
import { heldInputs, sentence } from "./slice";

const task = {
  input_names: ["a", "b", "c", "d"],
  input_ranges: [
    [0, 1],
    [0, 1],
    [10, 20],
    [0, 2],
  ],
} as unknown as Task;

it("names the inputs that the network sees and the map is not drawn over, in their own units", () => {
  expect(heldInputs(task, ["x1", "x2", "x4"], [15, 1.5], 6)).toEqual([
    { name: "d", value: 1.5, low: 0, high: 2 },
  ]);
  expect(heldInputs(task, ["x1", "x2", "x1*x2"], [15, 1.5], 6)).toEqual([]);
  const scaled = { ...task, input_ranges: null };
  expect(heldInputs(scaled, ["x3"], [1, 2], 6)).toEqual([{ name: "c", value: 1, low: -6, high: 6 }]);
});

it("says what is held fixed, and which of it is a mean", () => {
  const inputs = heldInputs(task, ["x3", "x4"], [15, 1.5], 6);
  expect(sentence(inputs, {})).toBe("Held fixed at their means: c 15, d 1.5");
  expect(sentence(inputs, { d: 1.5 })).toBe("Held fixed: d 1.5, c 15 (mean)");
});

it("names a few of many, those first that were moved", () => {
  const inputs = ["c", "d", "e", "f", "g"].map((name, value) => ({ name, value, low: 0, high: 9 }));
  expect(sentence(inputs, { g: 4 })).toBe("Held fixed: g 4, c 0 (mean), d 1 (mean) and 2 more");
});
