// Columns for the charts out of the history: which lines a chart has, and their numbers.
import type { History } from "../history";
import type { Moment } from "../page/readouts.svelte";
import type { Columns } from "./chart";
import { smoothed } from "./smoothing";

export type Unit = "epoch" | "step";

/** The gradient norm of the output layer, and of a hidden layer. */
export const OUTPUT_NORM = "grad_norm.output";
export const hiddenNorm = (layer: number) => `grad_norm.${layer}`;

/**
 * x, then for each name its values; with smoothing each name has two lines, the raw one first.
 * The history is thinned as it grows, so what is known of `now` makes the last point until the next sample comes.
 */
export function columns(
  history: History,
  names: string[],
  unit: Unit,
  weight: number,
  now: Moment | null = null,
): Columns {
  const last = history.step.at(-1);
  const newer = now !== null && last !== undefined && now.step > last ? now : null;
  const xs = unit === "epoch" ? history.epoch : history.step;
  const out: Columns = [rising(newer ? [...xs, newer[unit]] : xs)];
  for (const name of names) {
    const known = history.series.get(name) ?? [];
    const values = Array.from({ length: history.length }, (_, row) => known[row] ?? Number.NaN);
    if (newer) values.push(newer.metrics[name] ?? Number.NaN);
    if (weight > 0) out.push(gaps(values), gaps(smoothed(values, weight)));
    else out.push(gaps(values));
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

/** Not a number becomes a gap. */
const gaps = (values: number[]) => values.map((value) => (Number.isFinite(value) ? value : null));
