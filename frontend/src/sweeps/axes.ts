// Where the points of a sweep lie: along the axes of its space, in the cells of its heat map, among one another.
import { rough } from "../figures";
import type { SweepAxis, Trial } from "../types";

/** A value, or null for none: the field is empty, or the chosen kind does not have it. */
export type Placed = string | number | boolean | object | null;

export const CELLS = 12;

export function chosenOf(trial: Trial, path: string): Placed {
  return trial.left_out.includes(path) ? null : ((trial.params[path] as Placed) ?? null);
}

/** From 0 to 1 along an axis; null for none. */
export function share(axis: SweepAxis, value: Placed): number | null {
  if (value === null) return null;
  if ("values" in axis) {
    const all = axis.values.filter((one) => one !== null).map(written);
    const place = all.indexOf(written(value));
    return place < 0 ? null : all.length === 1 ? 0.5 : place / (all.length - 1);
  }
  const { low, high, log } = axis;
  if (typeof value !== "number" || low === high) return 0.5;
  return log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
}

interface Cells {
  count: number;
  of: (value: Placed) => number | null;
  /** Where a share of the axis lies among them: a cell of one value has it in its middle. */
  at: (share: number) => number;
}

/** Cells along an axis of the heat map: one for each value where there are few, and where one of them begins. */
export function cells(axis: SweepAxis): Cells {
  const middles = (count: number) => (place: number) => (place * (count - 1) + 0.5) / count;
  if ("values" in axis) {
    const count = Math.max(1, axis.values.filter((one) => one !== null).length);
    return { count, of: (value) => scaled(share(axis, value), count - 1), at: middles(count) };
  }
  if (isWhole(axis) && !axis.log && axis.high - axis.low < 24) {
    const count = axis.high - axis.low + 1;
    return {
      count,
      of: (value) => (typeof value === "number" ? value - axis.low : null),
      at: middles(count),
    };
  }
  return {
    count: CELLS,
    at: (place) => place,
    of: (value) => {
      const place = share(axis, value);
      return place === null ? null : Math.min(CELLS - 1, Math.max(0, Math.floor(place * CELLS)));
    },
  };
}

const isWhole = ({ low, high }: { low: number; high: number }) =>
  Number.isInteger(low) && Number.isInteger(high);
const scaled = (place: number | null, most: number) => (place === null ? null : Math.round(place * most));

/** What stands at the ends of an axis and between. */
export function marks(axis: SweepAxis): { at: number; text: string }[] {
  if ("values" in axis) {
    const all = axis.values.filter((one) => one !== null);
    return all.map((value) => ({ at: share(axis, value as Placed) ?? 0, text: written(value) }));
  }
  const { low, high, log } = axis;
  const between = log ? Math.sqrt(low * high) : (low + high) / 2;
  const middle = isWhole(axis) ? Math.round(between) : between;
  return [...new Set([low, middle, high])].map((value) => ({
    at: share(axis, value) ?? 0,
    text: rough(value),
  }));
}

export function written(value: unknown): string {
  if (typeof value === "number") return rough(value);
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** 0 for the best of the trials with a value, 1 for the worst, by their ranks. */
export function ranks(trials: Iterable<Trial>, maximize: boolean): Map<number, number> {
  const sign = maximize ? -1 : 1;
  const valued = [...trials].filter(({ value, state }) => value !== null && state !== "running");
  valued.sort((one, other) => sign * ((one.value as number) - (other.value as number)));
  return new Map(valued.map(({ number }, place) => [number, place / Math.max(1, valued.length - 1)]));
}

/** The two axes that matter most; before that is known, the first two. */
export function mostImportant(paths: string[], importance: Record<string, number>): [string, string | null] {
  const sorted = [...paths].sort((one, other) => (importance[other] ?? 0) - (importance[one] ?? 0));
  return [sorted[0], sorted[1] ?? null];
}
