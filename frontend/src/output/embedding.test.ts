import { describe, expect, it } from "vitest";
import { follow, nearest, placedIn } from "./embedding";

describe("the window of an embedding", () => {
  const square = [-1, -1, 1, -1, -1, 1, 1, 1];
  const scaled = (by: number) => square.map((value) => by * value);

  it("stands still while the points stay within it", () => {
    const first = follow(null, square, 2);
    expect(first.reach).toBeCloseTo(1.12);
    expect(follow(first, scaled(1.1), 2)).toBe(first);
    expect(follow(first, scaled(0.7), 2)).toBe(first);
  });

  it("opens at once for points that leave it, and closes slowly", () => {
    const first = follow(null, square, 2);
    expect(follow(first, scaled(2), 2).reach).toBeCloseTo(2.24);
    let window = first;
    for (let i = 0; i < 5; i++) window = follow(window, scaled(0.1), 2);
    expect(window.reach).toBeGreaterThan(0.7);
    for (let i = 0; i < 200; i++) window = follow(window, scaled(0.1), 2);
    expect(window.reach).toBeLessThan(0.21);
  });

  it("shows something where all points lie at one place, or nowhere", () => {
    expect(follow(null, [3, 3, 3, 3], 2)).toMatchObject({ x: 3, y: 3 });
    expect(follow(null, [Number.NaN, Number.NaN], 2).reach).toBe(1);
  });
});

it("puts scores to the right, and classes into lanes", () => {
  const window = follow(null, [-2, 2], 1);
  const look = { targets: [0, 1], copies: 0, classes: 2, scale: 1, extent: 6 };
  const { inputs } = placedIn(window, [-2, 2], 1, look);
  expect(inputs[0]).toBeLessThan(-5);
  expect(inputs[2]).toBeGreaterThan(5);
  expect(inputs[1]).toBeLessThan(0);
  expect(inputs[3]).toBeGreaterThan(0);
});

it("finds the point under the pointer", () => {
  const points = { inputs: [0, 0, 1, 1], targets: [0, 1], columns: 2 };
  expect(nearest(points, [0.9, 1.1], 0.3)).toBe(1);
  expect(nearest(points, [0.5, 0.5], 0.3)).toBe(-1);
});
