import { expect, it } from "vitest";
import { cellAt, toInputs, toPixels } from "./square";

it("has x2 upwards and goes from pixels to inputs and back", () => {
  expect(toInputs(0, 0, 300, 6)).toEqual([-6, 6]);
  expect(toInputs(300, 300, 300, 6)).toEqual([6, -6]);
  const [x, y] = toPixels(...toInputs(40, 250, 300, 6), 300, 6);
  expect(x).toBeCloseTo(40);
  expect(y).toBeCloseTo(250);
});

it("keeps a pointer that left the square inside", () => {
  expect(toInputs(-50, 900, 300, 6)).toEqual([-6, -6]);
});

it("finds the cell of a map whose first row is the top", () => {
  expect(cellAt(-6, 6, 100, 6)).toBe(0);
  expect(cellAt(6, 6, 100, 6)).toBe(99);
  expect(cellAt(6, -6, 100, 6)).toBe(9_999);
});
