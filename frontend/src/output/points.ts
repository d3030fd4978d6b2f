// Paints the points over the decision map: class by colour and shape, train filled, test outlined, wrong ones ringed,
// copies faint.
import { classColour, signedColour, type Theme, traceShape } from "../colours";
import type { Part, Points } from "../wire";
import { toPixels } from "./square";

export interface PointSet extends Points {
  /** What the network says of each; null before the first frame or while points are being drawn. */
  predictions: ArrayLike<number> | null;
}

/** A cell of the confusion matrix. */
export interface Cell {
  truth: number;
  answer: number;
}

/** The points of a cell of the confusion matrix of one set. */
export interface Lit extends Cell {
  part: Part;
}

export interface Look {
  theme: Theme;
  /** Edge of the square in CSS pixels. */
  size: number;
  /** Half of the edge in inputs. */
  extent: number;
  regression: boolean;
  /** Magnitude of a regression value that gets the full colour. */
  scale: number;
  markWrong: boolean;
  /** Each point stands on a disc in the colour of its own prediction. */
  grounds: boolean;
  /** Those that stand out; without it, all do. */
  lit?: Lit | null;
}

const INK = { light: "rgb(20 24 30)", dark: "rgb(250 250 250)" } as const;
const RIM = { light: "rgb(20 24 30 / 0.5)", dark: "rgb(250 250 250 / 0.55)" } as const;
const HOLLOW = { light: "rgb(255 255 255)", dark: "rgb(12 14 18)" } as const;
const HALO = { light: "rgb(255 255 255 / 0.9)", dark: "rgb(12 14 18 / 0.9)" } as const;

const FAINT = 0.35;

function radiusFor(count: number, size: number): number {
  const room = size / 100;
  if (count > 3000) return Math.max(1.2, room * 0.5);
  if (count > 1200) return Math.max(1.8, room * 0.75);
  if (count > 600) return Math.max(1.8, Math.min(4, room * 0.85));
  return Math.max(1.2, Math.min(4.5, room * 1.1));
}

function isWrong(set: PointSet, index: number): boolean {
  return set.predictions !== null && set.predictions[index] !== set.targets[index];
}

/** Of all others when some stand out. */
const PALE = 0.13;

/** Paints these sets anew, test points below training points. Returns how many are marked as wrong. */
export function paintSets(
  canvas: HTMLCanvasElement,
  sets: Partial<Record<Part, PointSet>>,
  look: Look,
): number {
  const context = canvas.getContext("2d");
  if (!context) return 0;
  const ratio = devicePixelRatio;
  const edge = Math.max(1, Math.round(look.size * ratio));
  if (canvas.width !== edge || canvas.height !== edge) {
    canvas.width = edge;
    canvas.height = edge;
  }
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, look.size, look.size);
  const { train, test } = sets;
  const radius = radiusFor((train?.targets.length ?? 0) + (test?.targets.length ?? 0), look.size);
  let shown = [
    { set: test, part: "test" as const },
    { set: train, part: "train" as const },
  ].flatMap(({ set, part }) => (set ? [{ set, part }] : []));
  const { lit } = look;
  if (lit) {
    context.globalAlpha = PALE;
    for (const { set, part } of shown) {
      const rest = only(set, (i) => !isLit(set, i, part, lit));
      paintPoints(context, rest, part === "train", radius, look, 0);
    }
    shown = shown.map(({ set, part }) => ({ set: only(set, (i) => isLit(set, i, part, lit)), part }));
  }
  context.globalAlpha = 1;
  if (look.grounds) for (const { set } of shown) paintGrounds(context, set, radius, look);
  context.globalAlpha = FAINT;
  for (const { set, part } of shown)
    if (set.copies) paintPoints(context, set, part === "train", radius, look, originals(set));
  context.globalAlpha = 1;
  for (const { set, part } of shown)
    paintPoints(context, set, part === "train", radius, look, 0, originals(set));
  if (!look.markWrong || look.regression) return 0;
  return shown.reduce((sum, { set }) => sum + ringWrong(context, set, radius, look), 0);
}

const isLit = ({ targets, predictions }: PointSet, i: number, part: Part, lit: Lit): boolean =>
  part === lit.part && targets[i] === lit.truth && predictions?.[i] === lit.answer;

/** The points of a set that pass. */
function only(set: PointSet, passes: (i: number) => boolean): PointSet {
  const { inputs, targets, columns, predictions } = set;
  const kept = Array.from(targets, (_, i) => i).filter(passes);
  return {
    inputs: kept.flatMap((i) => [inputs[i * columns], inputs[i * columns + 1]]),
    targets: kept.map((i) => targets[i]),
    columns: 2,
    copies: kept.filter((i) => i >= originals(set)).length,
    predictions: predictions && kept.map((i) => predictions[i]),
  };
}

/** Of the points, those that are no copies. */
const originals = (set: PointSet) => set.targets.length - set.copies;

/** What the network says of each point, with all of its inputs, where the map is of other values of some. */
function paintGrounds(context: CanvasRenderingContext2D, set: PointSet, radius: number, look: Look): void {
  const { predictions } = set;
  if (!predictions) return;
  const reach = radius + Math.max(2, 0.8 * radius);
  const discs = new Map<string, Path2D>();
  for (let i = 0; i < originals(set); i++) {
    const colour = look.regression ? shade(predictions[i], look) : classColour(look.theme, predictions[i]);
    const disc = discs.get(colour) ?? new Path2D();
    discs.set(colour, disc);
    traceShape(disc, 0, ...pixelsOf(set, i, look), reach);
  }
  context.lineWidth = 1;
  context.strokeStyle = HALO[look.theme];
  for (const disc of discs.values()) context.stroke(disc);
  for (const [colour, disc] of discs) {
    context.fillStyle = colour;
    context.fill(disc);
  }
}

/** Test points are outlined, train points are filled; some of them, `from` the one to the other. */
function paintPoints(
  context: CanvasRenderingContext2D,
  set: PointSet,
  filled: boolean,
  radius: number,
  look: Look,
  from: number,
  to = set.targets.length,
): void {
  for (const { path, colour } of grouped(set, radius, look, from, to)) {
    if (filled) fill(context, path, colour, radius, look);
    else outline(context, path, colour, radius, look);
  }
}

/** Points of one colour and shape share one path. */
function grouped(
  set: PointSet,
  radius: number,
  look: Look,
  from: number,
  to: number,
): Iterable<{ path: Path2D; colour: string }> {
  const groups = new Map<string, { path: Path2D; colour: string }>();
  for (let i = from; i < to; i++) {
    const target = set.targets[i] ?? 0;
    const colour = look.regression ? shade(target, look) : classColour(look.theme, target);
    const key = look.regression ? colour : String(target);
    let group = groups.get(key);
    if (!group) {
      group = { path: new Path2D(), colour };
      groups.set(key, group);
    }
    traceShape(group.path, look.regression ? 0 : target, ...pixelsOf(set, i, look), radius);
  }
  return groups.values();
}

function pixelsOf({ inputs, columns }: PointSet, i: number, { size, extent }: Look): [number, number] {
  return toPixels(inputs[i * columns] ?? 0, inputs[i * columns + 1] ?? 0, size, extent);
}

function fill(
  context: CanvasRenderingContext2D,
  path: Path2D,
  colour: string,
  radius: number,
  look: Look,
): void {
  context.fillStyle = colour;
  context.fill(path);
  // Small points lie so close that their edges would hide them.
  if (radius < 2.2) return;
  context.lineWidth = Math.max(0.5, radius * 0.2);
  // Values about zero have the colour of the map about zero.
  context.strokeStyle = look.regression ? RIM[look.theme] : HALO[look.theme];
  context.stroke(path);
}

function outline(
  context: CanvasRenderingContext2D,
  path: Path2D,
  colour: string,
  radius: number,
  look: Look,
): void {
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

function ringWrong(context: CanvasRenderingContext2D, set: PointSet, radius: number, look: Look): number {
  const rings = new Path2D();
  let count = 0;
  for (let i = 0; i < originals(set); i++) {
    if (!isWrong(set, i)) continue;
    count++;
    const [x, y] = pixelsOf(set, i, look);
    rings.moveTo(x + radius + 2.2, y);
    rings.arc(x, y, radius + 2.2, 0, 2 * Math.PI);
  }
  context.lineWidth = 2.4;
  context.strokeStyle = HALO[look.theme];
  context.stroke(rings);
  context.lineWidth = 1.2;
  context.strokeStyle = INK[look.theme];
  context.stroke(rings);
  return count;
}

// Twenty-one shades are as many as can be told apart, and keep the number of paths small.
function shade(value: number, look: Look): string {
  return signedColour(look.theme, Math.round((10 * value) / look.scale) / 10);
}
