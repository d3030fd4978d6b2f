// The elastic net (Zou, Hastie, 2005) as scikit-learn has it: a strength and the share of L1, for the two penalties that
// a config holds.

const DIGITS = 6;

/** Without the noise of floating point. */
export const rounded = (value: number) => Number(value.toPrecision(DIGITS));

/** L1 and L2 of a penalty of this strength with this share of L1. */
export const parts = (strength: number, ratio: number) => ({
  l1: rounded(strength * ratio),
  l2: rounded(strength * (1 - ratio)),
});

/** The share of L1; null where there is no penalty. */
export const ratioOf = (l1: number, l2: number): number | null =>
  l1 + l2 > 0 ? Math.round((1000 * l1) / (l1 + l2)) / 1000 : null;
