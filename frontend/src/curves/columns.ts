// Columns for the charts out of the history: which lines a chart has, and their numbers.
import type { History } from "../history";
import type { Columns } from "./chart";
import { smoothed } from "./smoothing";

export type Unit = "epoch" | "step";

/** x, then for each name its values; with smoothing each name has two lines, the raw one first. */
export function columns(history: History, names: string[], unit: Unit, weight: number): Columns {
  const out: Columns = [rising(unit === "epoch" ? history.epoch : history.step)];
  for (const name of names) {
    const values = history.series.get(name) ?? [];
    const raw = gaps(values, history.length);
    if (weight > 0) out.push(raw, gaps(smoothed(values, weight), history.length));
    else out.push(raw);
  }
  return out;
}

/** An epoch of more points begins anew somewhere before; a chart's axis goes one way only. */
function rising(values: number[]): number[] {
  let most = Number.NEGATIVE_INFINITY;
  return values.map((value) => {
    most = Math.max(most, value);
    return most;
  });
}

/** Not a number becomes a gap; columns that began late are gaps before. */
function gaps(values: ArrayLike<number>, length: number): (number | null)[] {
  return Array.from({ length }, (_, i) => (Number.isFinite(values[i]) ? values[i] : null));
}

/** The last value that is one, or null. */
export function lastOf(values: (number | null)[]): number | null {
  for (let i = values.length - 1; i >= 0; i--) if (values[i] !== null) return values[i];
  return null;
}
