// The part of the plane of learning rates and scales that is seen, in natural logarithms, and what is drawn in it.
import type { Theme } from "../colours";
import { diverging } from "../colours";

/** Edges in natural logarithms: x of the learning rate, y of the scale of the initial weights, upwards. */
export interface Window {
  x0: number;
  x1: number;
  y0: number;
  y1: number;
}

/** What the server takes. */
export const RATES = [1e-8, 100] as const;
export const SCALES = [1e-6, 10] as const;
export const WHOLE: Window = { x0: Math.log(1e-3), x1: Math.log(100), y0: Math.log(0.01), y1: Math.log(10) };
const OUTER: Window = {
  x0: Math.log(RATES[0]),
  x1: Math.log(RATES[1]),
  y0: Math.log(SCALES[0]),
  y1: Math.log(SCALES[1]),
};
/** Beyond this, neighbours have the same number. */
const NARROWEST = 1e-9;
const ROUNDING = 1e-12;
/** Pixels between two networks of the coarsest level. */
const COARSEST = 16;

/** Zoomed by a factor (less than 1: closer) about a place, in shares of the window from its lower left. */
export function zoomed(seen: Window, factor: number, [u, v]: readonly [number, number]): Window {
  const width = Math.max((seen.x1 - seen.x0) * factor, NARROWEST);
  const height = Math.max((seen.y1 - seen.y0) * factor, NARROWEST);
  const x = seen.x0 + (seen.x1 - seen.x0) * u;
  const y = seen.y0 + (seen.y1 - seen.y0) * v;
  return inside({ x0: x - width * u, x1: x + width * (1 - u), y0: y - height * v, y1: y + height * (1 - v) });
}

/** Moved by shares of its sides. */
export function moved(seen: Window, right: number, up: number): Window {
  const dx = (seen.x1 - seen.x0) * right;
  const dy = (seen.y1 - seen.y0) * up;
  return inside({ x0: seen.x0 + dx, x1: seen.x1 + dx, y0: seen.y0 + dy, y1: seen.y1 + dy });
}

/** The same, moved and cut to where the server has networks. */
function inside({ x0, x1, y0, y1 }: Window): Window {
  const [left, right] = within(x0, x1, OUTER.x0, OUTER.x1);
  const [low, high] = within(y0, y1, OUTER.y0, OUTER.y1);
  return { x0: left, x1: right, y0: low, y1: high };
}

function within(from: number, to: number, least: number, most: number): [number, number] {
  const length = Math.min(to - from, most - least);
  const start = Math.min(Math.max(from, least), most - length);
  return [start, start + length];
}

/** As the server wants it. Rounding must not lead out of what it takes. */
export const spans = (seen: Window) => ({
  rates: { low: Math.max(Math.exp(seen.x0), RATES[0]), high: Math.min(Math.exp(seen.x1), RATES[1]) },
  scales: { low: Math.max(Math.exp(seen.y0), SCALES[0]), high: Math.min(Math.exp(seen.y1), SCALES[1]) },
});

/** The learning rate and the scale in the middle of a pixel of the window. */
export function valuesAt(
  seen: Window,
  side: number,
  row: number,
  column: number,
): { rate: number; scale: number } {
  return {
    rate: Math.exp(seen.x0 + ((seen.x1 - seen.x0) * (column + 0.5)) / side),
    scale: Math.exp(seen.y1 - ((seen.y1 - seen.y0) * (row + 0.5)) / side),
  };
}

/** Round numbers for an axis between two logarithms: powers of ten, with 2 and 5 where there is room. */
export function ticks(from: number, to: number): number[] {
  const [low, high] = [Math.exp(from) * (1 - ROUNDING), Math.exp(to) * (1 + ROUNDING)];
  const found: number[] = [];
  const decades = (to - from) / Math.LN10;
  const steps = decades > 2 ? [1] : [1, 2, 5];
  for (let power = Math.floor(from / Math.LN10); power <= Math.ceil(to / Math.LN10); power++)
    for (const step of steps) {
      const value = step * 10 ** power;
      if (value >= low && value <= high) found.push(value);
    }
  if (found.length >= 2) return found;
  return [0.1, 0.5, 0.9].map((share) => Math.exp(from + (to - from) * share));
}

/** Pixels that a network stands for until there are finer ones: those of the level at which it comes. */
export function apart(row: number, column: number): number {
  let size = COARSEST;
  while (size > 1 && (row % size || column % size)) size /= 2;
  return size;
}

/** The colour of a measure, as ImageData has it: blue has learned, the stronger the faster; orange has not, the
 * stronger the sooner it blew up. */
export function colourOf(theme: Theme, measure: number): number {
  const table = diverging[theme];
  const share = measure > 0 ? 0.6 + 0.4 * (1 - measure) : 0.4 * -measure;
  return table[Math.round(share * (table.length - 1))];
}

/** Paints pixels that have come, from coarse to fine, into an image of this side. */
export function paint(
  out: Uint32Array,
  side: number,
  theme: Theme,
  places: readonly number[],
  measures: readonly number[],
): void {
  places.forEach((place, index) => {
    const row = Math.floor(place / side);
    const column = place % side;
    const size = apart(row, column);
    const colour = colourOf(theme, measures[index]);
    for (let y = row; y < Math.min(row + size, side); y++)
      out.fill(colour, y * side + column, y * side + Math.min(column + size, side));
  });
}
