import { expect, it } from "vitest";
import type { Task } from "../types";
import { heightOf, placed, valueOn } from "./curve";
import { unitsOf, writtenIn } from "./units";

it("reads a curve between its places, and at its ends", () => {
  const curve = [0, 1, 4];
  expect(valueOn(curve, -6, 6)).toBe(0);
  expect(valueOn(curve, 3, 6)).toBe(2.5);
  expect(valueOn(curve, 6, 6)).toBe(4);
});

it("places values by height, two classes at the bottom and on top, more classes on top", () => {
  const points = { inputs: [-3, 3], targets: [0, 1], copies: 0 };
  const regression = heightOf(0, 1);
  expect(placed(points, 0, regression, 6).inputs).toEqual([-3, 0, 3, expect.closeTo(6 / 1.1)]);
  const classes = heightOf(2, 1);
  expect(placed(points, 2, classes, 6).inputs).toEqual([-3, expect.closeTo(-5), 3, expect.closeTo(5)]);
  expect(placed(points, 3, classes, 6).inputs).toEqual([-3, expect.closeTo(5), 3, expect.closeTo(5)]);
});

it("says values in the units of the file", () => {
  const units = unitsOf({ target_name: "marks", target_scale: [40, 90] } as unknown as Task);
  expect(units.of(-1)).toBe(40);
  expect(units.difference(0.1)).toBe(2.5);
  expect(writtenIn(units, 1)).toBe("marks 90");
  const own = unitsOf({ target_name: null, target_scale: null } as unknown as Task);
  expect(writtenIn(own, 0.25)).toBe("0.25");
});
