// Columns for the charts out of the history: which lines a chart has, and their numbers.
import type { History } from "../history";
import type { Frame } from "../wire";
import type { Columns } from "./chart";
import { smoothed } from "./smoothing";

export type Unit = "epoch" | "step";

const NORM = "grad_norm.";
/** The gradient norm of the output layer, which is the last one of each sample, however many layers there were. */
export const OUTPUT_NORM = `${NORM}output`;
/** The gradient norm of a hidden layer. */
export const hiddenNorm = (layer: number) => NORM + layer;

/**
 * x, then for each name its values; with smoothing each name has two lines, the raw one first.
 * The history is thinned as it grows, so a newer `frame` makes the last point until the next sample comes.
 */
export function columns(
  history: History,
  names: string[],
  unit: Unit,
  weight: number,
  frame: Frame | null = null,
): Columns {
  const last = history.step.at(-1);
  const newer = frame !== null && last !== undefined && frame.step > last ? frame : null;
  const xs = unit === "epoch" ? history.epoch : history.step;
  const out: Columns = [rising(newer ? [...xs, newer[unit]] : xs)];
  const norms = names.some((name) => name.startsWith(NORM)) ? gradientNorms(history) : null;
  for (const name of names) {
    const known = (norms ?? history.series).get(name) ?? [];
    const values = Array.from({ length: history.length }, (_, row) => known[row] ?? Number.NaN);
    if (newer) values.push(newest(newer, name));
    if (weight > 0) out.push(gaps(values), gaps(smoothed(values, weight)));
    else out.push(gaps(values));
  }
  return out;
}

/** The norms by hidden layer and of the output: its column moves when a layer comes or goes. */
function gradientNorms(history: History): Map<string, number[]> {
  const given: number[][] = [];
  for (let layer = 0; ; layer++) {
    const values = history.series.get(NORM + layer);
    if (!values) break;
    given.push(values);
  }
  const output = new Array<number>(history.length).fill(Number.NaN);
  const hidden = given.map((values) => values.slice());
  for (let row = 0; row < history.length; row++) {
    const layer = given.findLastIndex((values) => !Number.isNaN(values[row]));
    if (layer < 0) continue;
    output[row] = given[layer][row];
    hidden[layer][row] = Number.NaN;
  }
  return new Map([
    ...hidden.map((values, layer): [string, number[]] => [hiddenNorm(layer), values]),
    [OUTPUT_NORM, output],
  ]);
}

function newest(frame: Frame, name: string): number {
  if (!name.startsWith(NORM)) return frame.metrics[name] ?? Number.NaN;
  const norms = frame.gradientNorms;
  const output = norms.length - 1;
  if (name === OUTPUT_NORM) return norms[output] ?? Number.NaN;
  const layer = Number(name.slice(NORM.length));
  return layer < output ? norms[layer] : Number.NaN;
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
