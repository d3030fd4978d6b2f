import { describe, expect, it } from "vitest";
import { Flashes, luminances } from "./flashes";

const REFRESH_MS = 1000 / 60;
const even = (value: number, cells = 100) => new Float32Array(cells).fill(value);

/** When pictures are shown that may be: what `at` gives for each refresh, refused ones again at the next. */
function played(
  flashes: Flashes,
  at: (refresh: number) => Float32Array,
  seconds: number,
): [number, Float32Array][] {
  const shown: [number, Float32Array][] = [];
  for (let refresh = 0; refresh < 60 * seconds; refresh++) {
    const now = refresh * REFRESH_MS;
    if (flashes.admit([at(refresh)], now)) shown.push([now, at(refresh)]);
  }
  return shown;
}

/** How often a quarter of the cells change by a tenth, there and back again, within one second at most. */
function mostChanges(shown: [number, Float32Array][]): number {
  const turns = Array.from(shown[0][1], (first, i) => {
    const times: number[] = [];
    let [extreme, direction] = [first, 0];
    for (const [now, cells] of shown) {
      const way = cells[i] - extreme;
      if (Math.abs(way) >= 0.1 && way * direction <= 0) {
        times.push(now);
        direction = Math.sign(way);
      }
      if (way * direction > 0) extreme = cells[i];
    }
    return times;
  });
  const within = (start: number) =>
    turns.map((times) => times.filter((time) => time >= start && time < start + 1000).length);
  const ofAQuarter = (counts: number[]) => counts.sort((a, b) => b - a)[Math.floor(counts.length / 4)];
  return Math.max(...shown.map(([now]) => ofAQuarter(within(now))));
}

describe("flashes", () => {
  it("are three large changes a second, and one with less motion", () => {
    const flips = (refresh: number) => even(refresh % 2 ? 0.8 : 0.2);
    expect(mostChanges(played(new Flashes(() => 350), flips, 5))).toBe(3);
    expect(mostChanges(played(new Flashes(() => 1050), flips, 5))).toBe(1);
  });

  it("are not small, not few cells, and not one way", () => {
    const small = (refresh: number) => even(refresh % 2 ? 0.5 : 0.52);
    const few = (refresh: number) => even(0.5).fill(refresh % 2 ? 0.1 : 0.9, 0, 15);
    const oneWay = (refresh: number) => even(refresh / 300);
    for (const calm of [small, few, oneWay])
      expect(played(new Flashes(() => 350), calm, 5)).toHaveLength(300);
  });

  it("are also those that come in many small steps, and those of one part after another", () => {
    const steps = (refresh: number) => even(0.5 + 0.04 * Math.abs((refresh % 12) - 6));
    expect(mostChanges(played(new Flashes(() => 350), steps, 5))).toBeLessThanOrEqual(3);
    const parts = (refresh: number) =>
      even(0.2).map((_, i) => (Math.floor((refresh + i / 10) / 10) % 2 ? 0.8 : 0.2));
    expect(mostChanges(played(new Flashes(() => 350), parts, 5))).toBeLessThanOrEqual(3);
  });

  it("hold no picture for longer than the rest, and the pictures like it not at all", () => {
    const flips = (refresh: number) => even(refresh % 2 ? 0.8 : 0.2);
    const times = played(new Flashes(() => 350), flips, 5).map(([now]) => now);
    const gaps = times.slice(1).map((time, i) => time - times[i]);
    expect(Math.max(...gaps)).toBeLessThan(60);
  });

  it("are told of when they go on, and no longer when they are over", () => {
    const flashes = new Flashes(() => 350);
    played(flashes, (refresh) => even(refresh % 2 ? 0.8 : 0.2), 3);
    expect(flashes.oscillates(3000)).toBe(true);
    expect(flashes.oscillates(6000)).toBe(false);
    flashes.admit([even(0.2)], 7000);
    expect(flashes.oscillates(7000)).toBe(false);
  });

  it("are counted anew for a picture of another size", () => {
    const flashes = new Flashes(() => 350);
    expect(flashes.admit([even(0.2)], 0)).toBe(true);
    expect(flashes.admit([even(0.9)], 400)).toBe(true);
    expect(flashes.admit([even(0.2, 50)], 410)).toBe(true);
  });
});

it("measures the relative luminance of every cell, and of many a sample", () => {
  const fill = (colour: number) => (out: Uint32Array) => void out.fill(colour);
  const [white, black, red] = luminances([
    { size: 1, fill: fill(0xffffffff) },
    { size: 1, fill: fill(0xff000000) },
    { size: 1, fill: fill(0xff0000ff) },
  ]);
  expect([white, black, red].map((value) => Number(value.toFixed(4)))).toEqual([1, 0, 0.2126]);
  const many = luminances([
    { size: 100, fill: fill(0xffffffff) },
    { size: 100, fill: fill(0xff000000) },
    { size: 101, fill: fill(0xffffffff) },
  ]);
  expect(many.length).toBeLessThanOrEqual(10_000);
  expect(many.reduce((sum, value) => sum + value, 0) / many.length).toBeCloseTo(2 / 3, 1);
});
