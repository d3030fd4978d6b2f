import { expect, it } from "vitest";
import type { CurvesOfClass } from "../types";
import { heightAt, lineOf, pathOf } from "./scoreCurves";

const curves: CurvesOfClass = {
  label: 1,
  roc: {
    false_positive_rate: [0, 0, 0.5, 1],
    true_positive_rate: [0, 0.5, 1, 1],
    thresholds: [null, 0.8, 0.4, 0.1],
    area: 0.875,
  },
  precision_recall: { recall: [0, 0.5, 1], precision: [1, 1, 0.6], thresholds: [null, 0.8, 0.4], area: 0.8 },
  calibration: { predicted: [0.1, null, 0.9], observed: [0.2, null, 1], counts: [1, 0, 3], error: 0.1 },
};

it("draws a class from left to right, with the number that sums it up", () => {
  expect(lineOf(curves, "roc")).toEqual({
    k: 1,
    places: [
      [0, 0],
      [0, 0.5],
      [0.5, 1],
      [1, 1],
    ],
    measure: 0.875,
    weights: null,
  });
  expect(lineOf(curves, "precision_recall").places.at(-1)).toEqual([1, 0.6]);
});

it("leaves the bins out that have no points, and knows how many the others have", () => {
  const { places, weights, measure } = lineOf(curves, "calibration");
  expect(places).toEqual([
    [0.1, 0.2],
    [0.9, 1],
  ]);
  expect(weights).toEqual([0.25, 0.75]);
  expect(measure).toBe(0.1);
});

it("reads a height between two corners, and the upper end where the line is upright", () => {
  const { places } = lineOf(curves, "roc");
  expect(heightAt(places, 0, "roc")).toBe(0.5);
  expect(heightAt(places, 0.25, "roc")).toBe(0.75);
  expect(heightAt(lineOf(curves, "precision_recall").places, 0.75, "precision_recall")).toBe(0.6);
  expect(heightAt(lineOf(curves, "calibration").places, 0.05, "calibration")).toBeNull();
});

it("goes in steps where what lies between two corners cannot be reached", () => {
  expect(
    pathOf(
      [
        [0, 1],
        [0.5, 0.6],
      ],
      "roc",
      100,
    ),
  ).toBe("M0.0,0.0L50.0,40.0");
  expect(
    pathOf(
      [
        [0, 1],
        [0.5, 0.6],
      ],
      "precision_recall",
      100,
    ),
  ).toBe("M0.0,0.0V40.0H50.0");
});
