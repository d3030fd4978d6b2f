// How far the network's values are from the targets, as counts over equal bins.
export interface Residuals {
  /** Upper end of the axis; it runs from -reach to reach. */
  reach: number;
  counts: number[];
  n: number;
  mean: number;
  spread: number;
}

/** Steps of 1, 2, 5 keep the axis still while the errors shrink. */
export function niceReach(largest: number): number {
  if (!(largest > 0) || !Number.isFinite(largest)) return 1;
  const power = 10 ** Math.floor(Math.log10(largest));
  for (const step of [1, 2, 5]) if (largest <= step * power) return step * power;
  return 10 * power;
}

export function differences(predictions: ArrayLike<number>, targets: ArrayLike<number>): number[] {
  if (predictions.length !== targets.length) return [];
  return Array.from(targets, (target, i) => predictions[i] - target);
}

/** What lies beyond `reach` counts in the outermost bins. */
export function histogram(values: number[], reach: number, bins = 21): Residuals {
  const counts = new Array<number>(bins).fill(0);
  let sum = 0;
  let squares = 0;
  for (const value of values) {
    const bin = Math.floor(((value + reach) / (2 * reach)) * bins);
    counts[Math.max(0, Math.min(bins - 1, bin))]++;
    sum += value;
    squares += value * value;
  }
  const n = values.length;
  const mean = n ? sum / n : Number.NaN;
  return {
    reach,
    counts,
    n,
    mean,
    spread: n ? Math.sqrt(Math.max(0, squares / n - mean * mean)) : Number.NaN,
  };
}
