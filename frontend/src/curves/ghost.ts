// The curves of another time, pinned to compare with: of which moment, and its numbers, few enough for the browser.
import type { History } from "../history";
import { store, stored } from "../page/storage";

export interface Ghost {
  /** What was trained, in a few words. */
  label: string;
  epoch: number[];
  step: number[];
  /** Means by metric; null where there is none. */
  series: Record<string, (number | null)[]>;
}

const NAME = "playground.ghost";
const FIRST = 64; // rows of the beginning that are all kept, for a logarithmic axis
const REST = 400;

export function pinned(history: History, label: string): Ghost {
  const every = Math.ceil(history.length / REST);
  const rows = history.step.flatMap((_, row) =>
    row < FIRST || row % every === 0 || row === history.length - 1 ? [row] : [],
  );
  const figures = (value: number) => (Number.isFinite(value) ? Number(value.toPrecision(5)) : null);
  return {
    label,
    epoch: rows.map((row) => history.epoch[row]),
    step: rows.map((row) => history.step[row]),
    series: Object.fromEntries(
      [...history.series].map(([name, { mean }]) => [name, rows.map((row) => figures(mean[row]))]),
    ),
  };
}

/** It is kept over a reload, in this tab. */
export const keep = (ghost: Ghost | null): void =>
  store(sessionStorage, NAME, ghost ? JSON.stringify(ghost) : null);

export function kept(): Ghost | null {
  try {
    return JSON.parse(stored(sessionStorage, NAME) ?? "null");
  } catch {
    return null;
  }
}
