import { expect, it } from "vitest";
import { differences, histogram, niceReach } from "./residuals";

it("counts prediction minus target around zero", () => {
  const values = differences([1, 0, -1], [1, 0, 1]);
  expect(values).toEqual([0, 0, -2]);
  const { counts, mean, n } = histogram(values, 2, 5);
  expect(counts).toEqual([1, 0, 2, 0, 0]);
  expect(n).toBe(3);
  expect(mean).toBeCloseTo(-2 / 3);
});

it("puts what is beyond the axis into the outermost bins", () => {
  expect(histogram([-9, 9], 1, 3).counts).toEqual([1, 0, 1]);
});

it("has an axis that changes in steps, not with every error", () => {
  expect([0.013, 0.019, 0.021].map(niceReach)).toEqual([0.02, 0.02, 0.05]);
  expect(niceReach(0)).toBe(1);
});

it("has nothing to say while predictions and targets belong to different data", () => {
  expect(differences([1, 2], [1])).toEqual([]);
});
