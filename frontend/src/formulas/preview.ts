// Small pictures of a formula, before it is put to use.
import type { FormulaTree } from "../types";
import type { ByteMap } from "../wire";
import { evaluate } from "./evaluate";

/** Half of the square's edge, and where values are cut: limits of the server. */
export const EXTENT = 6;
export const BOUND = 1e6;

const CELLS = 48; // along a side
const PLACES = 121; // along a line

export interface Preview {
  map: ByteMap;
  /** The share of the cells in which the formula has no value. */
  missing: number;
}

/** Of a cell, counted from the left. */
const centre = (cell: number) => ((2 * cell + 1) / CELLS - 1) * EXTENT;

/** The formula over the square, as the server draws a feature; `others` are the inputs past the second. */
export function mapOf(tree: FormulaTree, others: number[]): Preview {
  const values = new Float64Array(CELLS * CELLS);
  let missing = 0;
  for (let row = 0; row < CELLS; row++) {
    for (let column = 0; column < CELLS; column++) {
      const at = [centre(column), -centre(row), ...others];
      const value = evaluate(tree, at);
      if (Number.isNaN(value)) missing++;
      values[row * CELLS + column] = Math.max(-BOUND, Math.min(BOUND, value || 0));
    }
  }
  const lo = Math.min(...values);
  const hi = Math.max(...values);
  const scale = 255 / Math.max(hi - lo, 1e-12);
  const bytes = Uint8Array.from(values, (value) => Math.round((value - lo) * scale));
  return { map: { bytes, size: CELLS, lo, hi }, missing: missing / values.length };
}

/** The formula along x1, as the `d` of an SVG path in a square of this size, and the values at its lower and upper edge. */
export function lineOf(tree: FormulaTree, size: number): { path: string; lo: number; hi: number } {
  const values = Array.from({ length: PLACES }, (_, i) =>
    evaluate(tree, [((2 * i) / (PLACES - 1) - 1) * EXTENT]),
  );
  const finite = values.filter(Number.isFinite);
  let lo = Math.min(...finite, Number.POSITIVE_INFINITY);
  let hi = Math.max(...finite, Number.NEGATIVE_INFINITY);
  if (!(hi > lo)) [lo, hi] = finite.length ? [lo - 1, lo + 1] : [-1, 1];
  let path = "";
  let drawn = false;
  values.forEach((value, i) => {
    if (Number.isFinite(value)) {
      const x = (i / (PLACES - 1)) * size;
      const y = (0.06 + 0.88 * ((hi - value) / (hi - lo))) * size;
      path += `${drawn ? "L" : "M"}${x.toFixed(1)},${y.toFixed(1)}`;
    }
    drawn = Number.isFinite(value);
  });
  return { path, lo, hi };
}
