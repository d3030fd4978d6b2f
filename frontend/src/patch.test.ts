import { describe, expect, it } from "vitest";
import { combined, undoable } from "./patch";
import type { Entry, Patch } from "./types";

describe("combined", () => {
  it("keeps what only one of the patches says, and lets the second win", () => {
    expect(combined({ l1: 0.1, l2: 0.1, data: { noise: 0.2 } }, { l2: 0, data: { samples: 10 } })).toEqual({
      l1: 0.1,
      l2: 0,
      data: { noise: 0.2, samples: 10 },
    });
  });

  it("keeps null, which switches something off", () => {
    expect(combined({ clip_norm: null }, { loss: { kind: "mse" } })).toEqual({
      clip_norm: null,
      loss: { kind: "mse" },
    });
  });

  it("replaces a component by one of another kind", () => {
    expect(combined({ loss: { kind: "huber", delta: 2 } }, { loss: { kind: "mse" } })).toEqual({
      loss: { kind: "mse" },
    });
  });
});

describe("undoable", () => {
  const entry = (change: Patch, undo: Patch): Entry => ({
    step: 0,
    epoch: 0,
    change,
    undo,
    effect: [],
    label: [],
    weights: null,
    best: null,
    checkpoint: null,
  });
  const undos = (timeline: Entry[], gestures?: Map<Entry, number>) =>
    undoable(timeline, gestures).map(({ undo }) => undo);

  it("offers the changes in order", () => {
    expect(undos([entry({ l1: 1 }, { l1: 0 }), entry({ l2: 1 }, { l2: 0 })])).toEqual([{ l1: 0 }, { l2: 0 }]);
  });

  it("offers neither a change that was undone nor its undoing", () => {
    const first = entry({ l1: 1, l2: 1 }, { l1: 0, l2: 0 });
    expect(undos([first, entry({ l2: 0, l1: 0 }, { l1: 1, l2: 1 })])).toEqual([]);
  });

  it("skips what has no inverse", () => {
    expect(undos([entry({}, {})])).toEqual([]);
  });

  it("takes a whole drag back at once", () => {
    const drag = [0.1, 0.2, 0.3].map((noise, i) => entry({ data: { noise } }, { data: { noise: i / 10 } }));
    const before = entry({ l1: 1 }, { l1: 0 });
    const gestures = new Map(drag.map((each) => [each, 1]));
    expect(undos([before, ...drag], gestures)).toEqual([{ l1: 0 }, { data: { noise: 0 } }]);
  });

  it("keeps what can only be brought back by going back, and the first moment of a gesture", () => {
    const losing = (checkpoint: number, undo: Patch) => ({ ...entry({ seed: 1 }, undo), checkpoint });
    const edit = losing(1, {});
    const [first, second] = [losing(2, { seed: 3 }), losing(3, { seed: 4 })];
    const gestures = new Map([
      [first, 7],
      [second, 7],
    ]);
    expect(undoable([edit, first, second], gestures).map(({ checkpoint }) => checkpoint)).toEqual([1, 2]);
  });
});
