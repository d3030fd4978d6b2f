import { describe, expect, it } from "vitest";
import { activity, FADE_MS, Pulses, toShares } from "./pulses";

const floats = (...values: number[]) => Float32Array.from(values);
const rounded = (values: Float32Array) => [...values].map((value) => Number(value.toFixed(3)));

describe("pulses", () => {
  it("are as strong as the change of a weight, beside the largest of its layer", () => {
    const pulses = new Pulses([0, 2, 4]);
    pulses.take(floats(1, 1, 1, 1));
    expect(rounded(pulses.strength)).toEqual([0, 0, 0, 0]);
    pulses.take(floats(1.5, 0.75, 1.01, 1));
    expect(rounded(pulses.strength)).toEqual([1, 0.5, 1, 0]);
  });

  it("fade to a third in half a second, and end", () => {
    const pulses = new Pulses([0, 1]);
    pulses.take(floats(0));
    pulses.take(floats(1));
    expect(pulses.fade(FADE_MS)).toBe(true);
    expect(pulses.strength[0]).toBeCloseTo(1 / Math.E);
    expect(pulses.fade(10 * FADE_MS)).toBe(false);
  });

  it("grow weak as learning settles, and strong again when a weight jumps", () => {
    const pulses = new Pulses([0, 1]);
    pulses.take(floats(0));
    pulses.take(floats(1));
    pulses.fade(2000);
    pulses.take(floats(1.01));
    expect(pulses.strength[0]).toBeLessThan(0.05);
    pulses.take(floats(3));
    expect(pulses.strength[0]).toBe(1);
  });

  it("are none where nothing changed and where a weight is no number", () => {
    const pulses = new Pulses([0, 2]);
    pulses.take(floats(1, 1));
    pulses.take(floats(1, 1));
    expect(rounded(pulses.strength)).toEqual([0, 0]);
    pulses.take(floats(Number.NaN, 1));
    expect(rounded(pulses.strength)).toEqual([0, 0]);
  });
});

describe("what flows", () => {
  it("is the mean magnitude of what a unit answers", () => {
    const bytes = new Uint8Array(400).fill(255, 200);
    expect(activity({ bytes, size: 20, lo: -1, hi: 1 })).toBeCloseTo(1);
    expect(activity({ bytes: new Uint8Array(400), size: 20, lo: 0, hi: 0 })).toBe(0);
    expect(activity({ bytes, size: 20, lo: 0, hi: 2 })).toBeCloseTo(1, 0);
  });

  it("is a share of the most that flows in its layer", () => {
    const flows = floats(2, 1, 0, 0, Number.NaN, 4);
    toShares(flows, [0, 2, 4, 6]);
    expect([...flows]).toEqual([1, 0.5, 0, 0, 0, 1]);
  });
});
