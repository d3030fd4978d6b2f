// The points that a visitor draws: plain values and what a tool does to them. Knows no page and no canvas.
import type { DataMessage, Points } from "../wire";

export type Point = [x1: number, x2: number, target: number];

export interface Drawing {
  points: Point[];
  testPoints: Point[];
  /** 0 for a regression. */
  classes: number;
}

// Three decimals are finer than a pixel, and keep the message short.
const short = (value: number) => Math.round(value * 1000) / 1000;

/** The data on the screen as editable points; more inputs than two are left behind, and a missing one is 0. */
export function adopted({ inputs, targets, columns }: Omit<Points, "copies">): Point[] {
  return Array.from(targets, (target, i) => [
    short(inputs[i * columns]),
    columns > 1 ? short(inputs[i * columns + 1]) : 0,
    short(target),
  ]);
}

/** All that is on the screen as a drawing. */
export const drawingOf = (data: DataMessage): Drawing => ({
  points: adopted(data.originals("train")),
  testPoints: adopted(data.points("test")),
  classes: data.task.classes,
});

/** With one training point more; the same drawing where `most` points are in it already. */
export function withPoint(drawing: Drawing, x1: number, x2: number, target: number, most: number): Drawing {
  if (drawing.points.length + drawing.testPoints.length >= most) return drawing;
  const classes = drawing.classes === 0 ? 0 : Math.max(drawing.classes, target + 1);
  return { ...drawing, classes, points: [...drawing.points, [short(x1), short(x2), target]] };
}

/** Nothing is left but the classes; it can be sent again once a training point is in it. */
export function cleared(drawing: Drawing): Drawing {
  return { ...drawing, points: [], testPoints: [] };
}

export interface Hit {
  of: "points" | "testPoints";
  index: number;
}

/** The nearest point within `reach` (in input units), test points only where they are shown. */
export function hit(drawing: Drawing, x1: number, x2: number, reach: number, withTest: boolean): Hit | null {
  let best: Hit | null = null;
  let least = reach * reach;
  for (const of of ["points", "testPoints"] as const) {
    if (of === "testPoints" && !withTest) continue;
    drawing[of].forEach(([a, b], index) => {
      const distance = (a - x1) ** 2 + (b - x2) ** 2;
      if (distance <= least) {
        least = distance;
        best = { of, index };
      }
    });
  }
  return best;
}

export function moved(drawing: Drawing, which: Hit, x1: number, x2: number): Drawing {
  const points = [...drawing[which.of]];
  points[which.index] = [short(x1), short(x2), points[which.index][2]];
  return { ...drawing, [which.of]: points };
}

/** Without every point within `reach`. */
export function erased(drawing: Drawing, x1: number, x2: number, reach: number, withTest: boolean): Drawing {
  const far = ([a, b]: Point) => (a - x1) ** 2 + (b - x2) ** 2 > reach * reach;
  const points = drawing.points.filter(far);
  const testPoints = withTest ? drawing.testPoints.filter(far) : drawing.testPoints;
  if (points.length === drawing.points.length && testPoints.length === drawing.testPoints.length) {
    return drawing;
  }
  return { ...drawing, points, testPoints };
}

/** The config's `data` that says what is drawn. */
export function asData(drawing: Drawing, trainFraction: number, draw: number) {
  return {
    kind: "points" as const,
    points: drawing.points,
    test_points: drawing.testPoints,
    classes: drawing.classes,
    train_fraction: trainFraction,
    draw,
  };
}
