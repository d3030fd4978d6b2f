// Moments of a run, by the rows of its history.
import type { History } from "../history";

/** The first row that is not before a step. */
function rowOf({ step }: History, at: number): number {
  let [low, high] = [0, step.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (step[middle] < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The epoch of the row that is nearest to a step, or next after it. */
export function nearest(history: History, at: number): number {
  return history.epoch[Math.min(rowOf(history, at), history.length - 1)] ?? 0;
}

/** The step of the row so many rows from where a step is. */
export function neighbour(history: History, at: number, by: number): number {
  const row = rowOf(history, at);
  const from = by > 0 && history.step[row] !== at ? row - 1 : row;
  return history.step[Math.max(0, Math.min(history.length - 1, from + by))] ?? 0;
}

/** Two runs at the last step that both have measured: a value of each. */
export function together(
  one: History,
  other: History,
  metric: string,
): { epoch: number; values: [number, number] } | null {
  const [a, b] = [one.mean(metric), other.mean(metric)];
  let [row, column] = [one.length - 1, other.length - 1];
  while (row >= 0 && column >= 0) {
    const apart = one.step[row] - other.step[column];
    if (apart > 0) row--;
    else if (apart < 0) column--;
    else if (Number.isFinite(a[row]) && Number.isFinite(b[column]))
      return { epoch: one.epoch[row], values: [a[row], b[column]] };
    else [row, column] = [row - 1, column - 1];
  }
  return null;
}

/** Runs that lie side by side are A, B, C and D. */
export const letterOf = (i: number): string => String.fromCharCode(65 + i);
