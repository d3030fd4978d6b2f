/** Exponential moving average with bias correction, weight in [0, 1). NaN stays a gap and counts for nothing. */
export function smoothed(values: ArrayLike<number>, weight: number): number[] {
  const out: number[] = new Array(values.length);
  let mean = 0;
  let share = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (!Number.isFinite(value)) {
      out[i] = Number.NaN;
      continue;
    }
    mean = weight * mean + (1 - weight) * value;
    share = weight * share + (1 - weight);
    out[i] = mean / share;
  }
  return out;
}
