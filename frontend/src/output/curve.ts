// Paints what a network answers along its only input.
import { classColour, type Theme } from "../colours";
import type { Points } from "../wire";

/** Values at the bottom and the top of the picture. */
export interface Height {
  lo: number;
  hi: number;
}

/** Room above a regression, and around shares from 0 to 1. */
const MARGIN = 0.1;

export function heightOf(classes: number, reach: number): Height {
  return classes ? { lo: -MARGIN, hi: 1 + MARGIN } : { lo: -(1 + MARGIN) * reach, hi: (1 + MARGIN) * reach };
}

/** The value at an input of a curve that runs from -extent to extent. */
export function valueOn(curve: ArrayLike<number>, x: number, extent: number): number {
  const place = ((x + extent) / (2 * extent)) * (curve.length - 1);
  const left = Math.max(0, Math.min(curve.length - 2, Math.floor(place)));
  return curve[left] + (place - left) * (curve[left + 1] - curve[left]);
}

/** A value as a place on a square from -extent to extent. */
export const placeOf = (value: number, { lo, hi }: Height, extent: number): number =>
  extent * ((2 * (value - lo)) / (hi - lo) - 1);

/**
 * The points on a square from -extent to extent. A value is a height; of two classes one lies at the bottom
 * and the other on top; of more, all lie on top, where the curve of their own class should be. */
export function placed(
  { inputs, targets, copies }: Omit<Points, "columns">,
  classes: number,
  height: Height,
  extent: number,
): Points {
  const places = Array.from(targets, (target, i) => [
    inputs[i],
    placeOf(classes > 2 ? 1 : target, height, extent),
  ]);
  return { inputs: places.flat(), targets, columns: 2, copies };
}

const INK = { light: "rgb(20 24 30)", dark: "rgb(250 250 250)" } as const;
const HALO = { light: "rgb(255 255 255 / 0.85)", dark: "rgb(12 14 18 / 0.85)" } as const;

/** `size`: of the square in CSS pixels. Several curves have the colours of their classes. */
export function paintCurves(
  canvas: HTMLCanvasElement,
  curves: ArrayLike<number>[],
  { lo, hi }: Height,
  theme: Theme,
  size: number,
): void {
  const context = canvas.getContext("2d");
  if (!context) return;
  const edge = Math.max(1, Math.round(size * devicePixelRatio));
  if (canvas.width !== edge || canvas.height !== edge) {
    canvas.width = edge;
    canvas.height = edge;
  }
  context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
  context.clearRect(0, 0, size, size);
  context.lineJoin = "round";
  curves.forEach((curve, k) => {
    const path = new Path2D();
    for (let i = 0; i < curve.length; i++) {
      const x = (i / (curve.length - 1)) * size;
      // Far outside is as good as just outside, and canvases do not like it.
      const y = Math.max(-size, Math.min(2 * size, ((hi - curve[i]) / (hi - lo)) * size));
      if (i) path.lineTo(x, y);
      else path.moveTo(x, y);
    }
    context.lineWidth = 5;
    context.strokeStyle = HALO[theme];
    context.stroke(path);
    context.lineWidth = 2.5;
    context.strokeStyle = curves.length > 1 ? classColour(theme, k) : INK[theme];
    context.stroke(path);
  });
}
