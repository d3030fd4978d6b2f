// Columns for the charts out of the history: which numbers each line has.
import type { History, Series } from "../history";
import type { Moment } from "../page/readouts.svelte";
import type { Columns, Line } from "./chart";
import { smoothed } from "./smoothing";

export type Unit = "epoch" | "step";

/** The gradient norm of the output layer, and of a hidden layer. */
export const OUTPUT_NORM = "grad_norm.output";
export const hiddenNorm = (layer: number) => `grad_norm.${layer}`;

/** A metric as it is drawn: a band from its least to its greatest value, its mean, and with smoothing a line more. */
export const linesOf = (lines: Line[], smoothing: number): Line[] => [
  ...lines.flatMap((line): Line[] => [
    { ...line, role: "low" },
    { ...line, role: "high" },
  ]),
  ...(smoothing > 0 ? lines.map((line): Line => ({ ...line, role: "raw" })) : []),
  ...lines,
];

/**
 * x, then the values of each line.
 * The history is thinned as it grows, so what is known of `now` makes the last point until the next sample comes.
 * What has been `drawn` of moments between two samples widens the band there: no spike that was seen goes away.
 */
export function columns(
  history: History,
  lines: Pick<Line, "metric" | "role">[],
  unit: Unit,
  weight: number,
  now: Moment | null = null,
  drawn: History | null = null,
): Columns {
  const last = history.step.at(-1);
  const newer = now !== null && last !== undefined && now.step > last ? now : null;
  const xs = unit === "epoch" ? history.epoch : history.step;
  const known = new Map<string, Series>();
  for (const { metric } of lines) {
    if (!known.has(metric)) known.set(metric, seriesOf(history, metric, newer, drawn));
  }
  return [
    rising(newer ? [...xs, newer[unit]] : xs),
    ...lines.map(({ metric, role }) => {
      const series = known.get(metric) as Series;
      if (role === "low" || role === "high") return gaps(series[role]);
      return gaps(weight > 0 && role === undefined ? smoothed(series.mean, weight) : series.mean);
    }),
  ];
}

function seriesOf(history: History, metric: string, newer: Moment | null, drawn: History | null): Series {
  const known = history.series.get(metric);
  const copy = (values: number[] | undefined) =>
    Array.from({ length: history.length }, (_, row) => values?.[row] ?? Number.NaN);
  const series = { mean: copy(known?.mean), low: copy(known?.low), high: copy(known?.high) };
  if (newer) for (const values of Object.values(series)) values.push(newer.metrics[metric] ?? Number.NaN);
  const seen = drawn?.series.get(metric);
  if (!drawn || !seen) return series;
  for (let row = 0, moment = 0; moment < drawn.length && row < series.mean.length; moment++) {
    while (row < history.length && history.step[row] < drawn.step[moment]) row++;
    if (seen.low[moment] < series.low[row]) series.low[row] = seen.low[moment];
    if (seen.high[moment] > series.high[row]) series.high[row] = seen.high[moment];
  }
  return series;
}

/**
 * The curves of several runs over one axis: the union of their x, each curve straight between its own points and
 * null beyond them, and where it has a gap.
 */
export function overlaid(curves: { xs: number[]; ys: (number | null)[] }[]): Columns {
  const rows = curves.map(({ xs, ys }) => ({ xs: rising(xs), ys }));
  const union = [...new Set(rows.flatMap(({ xs }) => xs))].sort((a, b) => a - b);
  return [union, ...rows.map(({ xs, ys }) => between(xs, ys, union))];
}

/** Of overlaid curves: how far each is from the first, times a factor. */
export const apartFrom = ([xs, first, ...others]: Columns, factor = 1): Columns => [
  xs,
  ...others.map((ys) =>
    ys.map((y, row) => (y === null || first[row] === null ? null : factor * (y - first[row]))),
  ),
];

function between(xs: number[], ys: (number | null)[], at: number[]): (number | null)[] {
  let row = 0; // the last one that is not after x
  return at.map((x) => {
    while (row + 1 < xs.length && xs[row + 1] <= x) row++;
    const [left, right] = [ys[row] ?? null, ys[row + 1] ?? null];
    if (xs.length === 0 || x < xs[0]) return null;
    if (xs[row] === x) return left;
    if (left === null || right === null) return null;
    return left + ((right - left) * (x - xs[row])) / (xs[row + 1] - xs[row]);
  });
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
