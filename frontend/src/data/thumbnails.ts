// Small pictures of the data sets: asked for once a kind, painted on any theme.
import * as api from "../api";
import { parameterOf } from "../catalogue";
import { classColour, signedColour, type Theme, traceShape } from "../colours";
import { toPixels } from "../output/square";
import type { Component, Kind, Task } from "../types";

export interface Picture {
  points: number[][];
  regression: boolean;
  /** Address of the image that the points are the pixels of. */
  image?: string | null;
}

const asked = new Map<string, Promise<Picture>>();
const MARGIN = 0.94; // so that no point at the edge is cut
const FEW = 160; // points: more only make a small picture muddy
const LOOSE = 0.5; // of the square: what fills less is drawn larger

/** Of one input only, the height of a point says its target. `extent` as below. */
export function pictureOfPoints(points: number[][], task: Task, extent: number): Picture {
  const regression = task.kind === "regression";
  if (task.inputs > 1) return { points, regression };
  const most = regression ? 1 : Math.max(1, task.classes - 1) / 2;
  const height = (target: number) => 0.9 * extent * (regression ? target : target / most - 1);
  return { points: points.map(([x1, , target]) => [x1, height(target), target]), regression };
}

/** The picture of a kind with its default parameters. `extent` as below. */
export function pictureOf(kind: Kind, extent: number): Promise<Picture> {
  let picture = asked.get(kind.kind);
  if (!picture) {
    const data: Component = { kind: kind.kind };
    if (parameterOf(kind, "samples")) data.samples = FEW;
    picture = api.preview(data).then(({ task, train, test, picture: image }) => ({
      ...pictureOfPoints([...train, ...test], task, extent),
      image,
    }));
    picture.catch(() => asked.delete(kind.kind));
    asked.set(kind.kind, picture);
  }
  return picture;
}

/** `extent`: half of the input square's edge. */
export function paintPicture(
  canvas: HTMLCanvasElement,
  { points, regression }: Picture,
  theme: Theme,
  extent: number,
): void {
  const size = canvas.clientWidth;
  const context = canvas.getContext("2d");
  if (!context || !size) return;
  const ratio = devicePixelRatio;
  canvas.width = Math.round(size * ratio);
  canvas.height = canvas.width;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  const radius = Math.max(1, size / 36);
  const scale = Math.max(...points.map((point) => Math.abs(point[2])), 1e-6);
  const reach = Math.max(...points.flatMap(([x1, x2]) => [Math.abs(x1), Math.abs(x2)]), 1e-6);
  const zoom = MARGIN * (reach < LOOSE * extent ? (LOOSE * extent) / reach : 1);
  for (const [x1, x2, target] of points) {
    const [x, y] = toPixels(zoom * x1, zoom * x2, size, extent);
    context.fillStyle = regression ? signedColour(theme, target, scale) : classColour(theme, target);
    context.beginPath();
    traceShape(context, regression ? 0 : target, x, y, radius);
    context.fill();
  }
}
