import { describe, expect, it } from "vitest";
import type { Trial } from "../types";
import { cells, chosenOf, marks, mostImportant, ranks, share } from "./axes";

const RATE = { low: 0.001, high: 1, log: true, step: null };
const KIND = { values: ["tanh", null, "relu"] };

const trial = (number: number, value: number | null, params = {}): Trial =>
  ({ number, value, params, left_out: [], state: "complete" }) as unknown as Trial;

describe("the axes of a sweep", () => {
  it("places numbers by ratio where ratios count, and words in their order", () => {
    expect(share(RATE, 0.001)).toBe(0);
    expect(share(RATE, Math.sqrt(0.001))).toBeCloseTo(0.5);
    expect(share({ low: 0, high: 4, log: false, step: null }, 1)).toBe(0.25);
    expect([share(KIND, "tanh"), share(KIND, "relu"), share(KIND, null)]).toEqual([0, 1, null]);
  });

  it("has a cell for each whole number where there are few", () => {
    const width = cells({ low: 1, high: 8, log: false, step: null });
    expect(width.count).toBe(8);
    expect([width.of(1), width.of(8), width.of(null)]).toEqual([0, 7, null]);
    expect(cells(RATE).of(1)).toBe(cells(RATE).count - 1);
    expect(cells(KIND).count).toBe(2);
    expect(marks({ low: 1, high: 8, log: false, step: null }).map(({ text }) => text)).toEqual([
      "1",
      "5",
      "8",
    ]);
    expect([width.at(0), width.at(1)]).toEqual([1 / 16, 15 / 16]);
    expect(cells(RATE).at(1)).toBe(1);
    expect(marks(RATE).map(({ at }) => Number(at.toFixed(9)))).toEqual([0, 0.5, 1]);
  });

  it("says what was left out, who is best, and what matters", () => {
    const left = { ...trial(0, 1, { "optimizer.beta": 0.9 }), left_out: ["optimizer.beta"] };
    expect(chosenOf(left, "optimizer.beta")).toBeNull();
    const some = [trial(0, 3), trial(1, null), trial(2, 1), trial(3, 2)];
    expect([...ranks(some, false)]).toEqual([
      [2, 0],
      [3, 0.5],
      [0, 1],
    ]);
    expect(ranks(some, true).get(0)).toBe(0);
    expect(mostImportant(["a", "b", "c"], { c: 0.7, b: 0.3 })).toEqual(["c", "b"]);
    expect(mostImportant(["a"], {})).toEqual(["a", null]);
  });
});
