import { describe, expect, it } from "vitest";
import { adopted, asData, cleared, type Drawing, erased, hit, moved, withPoint } from "./drawing";

const two: Drawing = {
  points: [
    [0, 0, 0],
    [3, 3, 1],
  ],
  testPoints: [[-3, -3, 1]],
  classes: 2,
};

const MOST = 10_000;

describe("drawing", () => {
  it("turns the data on the screen into editable points, the first two inputs of each", () => {
    const inputs = new Float32Array([1, 2, 9, -1, -2, 9]);
    expect(adopted({ inputs, targets: new Float32Array([0, 1]), columns: 3 })).toEqual([
      [1, 2, 0],
      [-1, -2, 1],
    ]);
  });

  it("adds to the training points and leaves the drawing before it alone", () => {
    const after = withPoint(two, 1, -1, 1, MOST);
    expect(after.points.at(-1)).toEqual([1, -1, 1]);
    expect(after.testPoints).toBe(two.testPoints);
    expect(two.points).toHaveLength(2);
  });

  it("knows one class more when a point of a new class is drawn, and none for a regression", () => {
    expect(withPoint(two, 0, 0, 2, MOST).classes).toBe(3);
    expect(withPoint({ ...two, classes: 0 }, 0, 0, 0.5, MOST).classes).toBe(0);
  });

  it("begins afresh with the first point, in the classes that there were", () => {
    expect(withPoint(cleared({ ...two, classes: 3 }), 1, 2, 0, MOST)).toEqual({
      points: [[1, 2, 0]],
      testPoints: [],
      classes: 3,
    });
  });

  it("stops at the limit of points", () => {
    const full: Drawing = {
      points: Array.from({ length: MOST - 1 }, () => [0, 0, 0]),
      testPoints: [[0, 0, 0]],
      classes: 2,
    };
    expect(withPoint(full, 1, 1, 1, MOST)).toBe(full);
  });

  it("finds the nearest point in reach, a hidden test point never", () => {
    expect(hit(two, 2.9, 3, 0.5, true)).toEqual({ of: "points", index: 1 });
    expect(hit(two, -3, -3, 0.5, true)).toEqual({ of: "testPoints", index: 0 });
    expect(hit(two, -3, -3, 0.5, false)).toBeNull();
    expect(hit(two, 5, -5, 0.5, true)).toBeNull();
  });

  it("moves a point and keeps its class", () => {
    expect(moved(two, { of: "points", index: 1 }, -1, 2).points[1]).toEqual([-1, 2, 1]);
  });

  it("erases what is in reach, the last point too", () => {
    expect(erased(two, 0, 0, 0.5, true).points).toEqual([[3, 3, 1]]);
    expect(erased(two, 5, -5, 0.5, true)).toBe(two);
    expect(erased(two, 0, 0, 20, true)).toMatchObject({ points: [], testPoints: [] });
  });

  it("is sent as a whole data config, so that the test points stay what they were", () => {
    expect(asData(two, 0.7, 3)).toEqual({
      kind: "points",
      points: two.points,
      test_points: two.testPoints,
      classes: 2,
      train_fraction: 0.7,
      draw: 3,
    });
  });
});
