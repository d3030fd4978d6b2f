// Where an embedding puts the points, on a square whose window follows them without a jitter.
import type { Points } from "../wire";

/** What a square shows of the plane: its middle, and half of its edge. */
export interface Window {
  x: number;
  y: number;
  reach: number;
}

/** Room around the points, as a share of their reach. */
const ROOM = 0.12;
/** Below this share of the window the points have become so small that it closes in on them, */
const SMALL = 0.55;
/** by this share of the way with each picture. */
const PACE = 0.06;

/** The window that the next picture has, around points (n, columns); of scores, only to the right. */
export function follow(before: Window | null, places: ArrayLike<number>, columns: number): Window {
  const [left, right] = span(places, columns, 0);
  const [bottom, top] = columns > 1 ? span(places, columns, 1) : [0, 0];
  const half = Math.max(right - left, top - bottom) / 2 || 1e-3;
  const fitting = { x: (left + right) / 2, y: (bottom + top) / 2, reach: half * (1 + ROOM) };
  if (!Number.isFinite(half)) return before ?? { x: 0, y: 0, reach: 1 };
  if (!before) return fitting;
  const within =
    Math.abs(fitting.x - before.x) + (right - left) / 2 <= before.reach &&
    Math.abs(fitting.y - before.y) + (top - bottom) / 2 <= before.reach;
  if (!within) return fitting;
  if (fitting.reach > SMALL * before.reach) return before;
  const toward = (from: number, to: number) => from + PACE * (to - from);
  return {
    x: toward(before.x, fitting.x),
    y: toward(before.y, fitting.y),
    reach: toward(before.reach, fitting.reach),
  };
}

function span(places: ArrayLike<number>, columns: number, column: number): [number, number] {
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  for (let i = column; i < places.length; i += columns) {
    if (places[i] < least) least = places[i];
    if (places[i] > most) most = places[i];
  }
  return [least, most];
}

/** Share of the height between two classes over which the scores of one are spread, so that each can be seen. */
const SPREAD = 0.7;

/**
 * The points on a square from -extent to extent. Scores go to the right; upwards are the classes, each a lane, or
 * the values of a regression, as high as `scale`.
 */
export function placedIn(
  { x, y, reach }: Window,
  places: ArrayLike<number>,
  columns: number,
  {
    targets,
    copies,
    classes,
    scale,
    extent,
  }: Pick<Points, "targets" | "copies"> & { classes: number; scale: number; extent: number },
): Points {
  const inputs = new Float32Array(2 * targets.length);
  for (let i = 0; i < targets.length; i++) {
    inputs[2 * i] = (extent * (places[i * columns] - x)) / reach;
    inputs[2 * i + 1] =
      extent * (columns > 1 ? (places[i * columns + 1] - y) / reach : height(targets[i], i, classes, scale));
  }
  return { inputs, targets, columns: 2, copies };
}

/** From -1 to 1. */
function height(target: number, index: number, classes: number, scale: number): number {
  if (!classes) return (0.92 * target) / scale;
  const golden = (index * 0.618034) % 1; // spread evenly, and the same in every picture
  return (2 * (target + 0.5 + SPREAD * (golden - 0.5))) / classes - 1;
}

/** The nearest of the points to a place on the square, no farther than `most`; -1 where there is none. */
export function nearest(
  { inputs, targets, columns }: Omit<Points, "copies">,
  [x, y]: [number, number],
  most: number,
): number {
  let found = -1;
  let least = most * most;
  for (let i = 0; i < targets.length; i++) {
    const distance = (inputs[i * columns] - x) ** 2 + (inputs[i * columns + 1] - y) ** 2;
    if (distance <= least) [found, least] = [i, distance];
  }
  return found;
}
