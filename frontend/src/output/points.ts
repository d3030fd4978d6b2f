// Paints the points over the decision map: class by colour and shape, train filled, test outlined, wrong ones ringed.
import { classColour, signedColour, type Theme, traceShape } from "../colours";
import { toPixels } from "./square";

export interface PointSet {
  /** n rows of `columns` inputs; the first two are x1 and x2. */
  inputs: ArrayLike<number>;
  targets: ArrayLike<number>;
  columns: number;
  /** What the network says of each; null before the first frame or while points are being drawn. */
  predictions: ArrayLike<number> | null;
}

export interface Look {
  theme: Theme;
  /** Edge of the square in CSS pixels. */
  size: number;
  regression: boolean;
  /** Magnitude of a regression value that gets the full colour. */
  scale: number;
  markWrong: boolean;
}

const INK = { light: "rgb(20 24 30)", dark: "rgb(250 250 250)" } as const;
const RIM = { light: "rgb(20 24 30 / 0.5)", dark: "rgb(250 250 250 / 0.55)" } as const;
const HOLLOW = { light: "rgb(255 255 255)", dark: "rgb(12 14 18)" } as const;
const HALO = { light: "rgb(255 255 255 / 0.9)", dark: "rgb(12 14 18 / 0.9)" } as const;

export function radiusFor(count: number, size: number): number {
  const room = size / 100;
  if (count > 3000) return Math.max(1.2, room * 0.5);
  if (count > 1200) return Math.max(1.8, room * 0.75);
  return Math.max(2.6, Math.min(4.5, room * 1.1));
}

export function isWrong(set: PointSet, index: number): boolean {
  return set.predictions !== null && set.predictions[index] !== set.targets[index];
}

/** Test points are outlined, train points are filled. Points of one colour and shape share one path. */
export function paintPoints(
  context: CanvasRenderingContext2D,
  set: PointSet,
  filled: boolean,
  radius: number,
  look: Look,
): void {
  const groups = new Map<string, { path: Path2D; colour: string }>();
  const wrong = new Path2D();
  let anyWrong = false;
  for (let i = 0; i < set.targets.length; i++) {
    const target = set.targets[i] ?? 0;
    const [x, y] = toPixels(
      set.inputs[i * set.columns] ?? 0,
      set.inputs[i * set.columns + 1] ?? 0,
      look.size,
    );
    const colour = look.regression ? shade(target, look) : classColour(look.theme, target);
    const key = look.regression ? colour : String(target);
    let group = groups.get(key);
    if (!group) {
      group = { path: new Path2D(), colour };
      groups.set(key, group);
    }
    traceShape(group.path, look.regression ? 0 : target, x, y, radius);
    if (look.markWrong && !look.regression && isWrong(set, i)) {
      anyWrong = true;
      wrong.moveTo(x + radius + 2.2, y);
      wrong.arc(x, y, radius + 2.2, 0, 2 * Math.PI);
    }
  }
  const edge = Math.max(0.5, radius * 0.2);
  for (const { path, colour } of groups.values()) {
    if (filled) {
      context.fillStyle = colour;
      context.fill(path);
      // Small points lie so close that their edges would hide them.
      if (radius < 2.2) continue;
      context.lineWidth = edge;
      // Values about zero have the colour of the map about zero.
      context.strokeStyle = look.regression ? RIM[look.theme] : HALO[look.theme];
      context.stroke(path);
    } else {
      context.fillStyle = HOLLOW[look.theme];
      context.fill(path);
      const line = Math.max(1, radius * 0.5);
      if (look.regression) {
        context.lineWidth = line + 1;
        context.strokeStyle = RIM[look.theme];
        context.stroke(path);
      }
      context.lineWidth = line;
      context.strokeStyle = colour;
      context.stroke(path);
    }
  }
  if (anyWrong) {
    context.lineWidth = 2.4;
    context.strokeStyle = HALO[look.theme];
    context.stroke(wrong);
    context.lineWidth = 1.2;
    context.strokeStyle = INK[look.theme];
    context.stroke(wrong);
  }
}

// Twenty-one shades are as many as can be told apart, and keep the number of paths small.
function shade(value: number, look: Look): string {
  return signedColour(look.theme, Math.round((10 * value) / look.scale) / 10);
}
