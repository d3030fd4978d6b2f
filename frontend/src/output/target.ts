// The picture that the network learns, put together from its pixels: each point of the data is one.
import type { DataMessage } from "../wire";

export interface Target {
  width: number;
  height: number;
  /** Red, green, blue and opacity of each pixel, in the order of reading; what is not in the data is not there. */
  bytes: Uint8ClampedArray<ArrayBuffer>;
}

/** Null where the data are no picture. `extent` is half of the square's edge. */
export function targetOf(data: Source, extent: number): Target | null {
  const { task } = data;
  if (!task.picture) return null;
  const [width, height] = task.picture;
  const bytes = new Uint8ClampedArray(4 * width * height);
  const cell = (2 * extent) / Math.max(width, height);
  const palette = (task.class_colours ?? []).map(channelsOf);
  for (const part of ["train", "test"] as const) {
    const { inputs, targets, columns, copies } = data.points(part);
    for (let i = 0; i < inputs.length / columns - copies; i++) {
      const x = Math.round(inputs[i * columns] / cell + (width - 1) / 2);
      const y = Math.round((height - 1) / 2 - inputs[i * columns + 1] / cell);
      const colour = palette.length
        ? palette[targets[i]]
        : [0, 1, 2].map((k) => 127.5 * (targets[3 * i + k] + 1));
      bytes.set([...(colour ?? []), 255], 4 * (y * width + x));
    }
  }
  return { width, height, bytes };
}

type Source = Pick<DataMessage, "task" | "points">;

/** Of "#rrggbb". */
const channelsOf = (colour: string): number[] =>
  [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));

export function paintTarget(canvas: HTMLCanvasElement, { width, height, bytes }: Target): void {
  canvas.width = width;
  canvas.height = height;
  canvas.getContext("2d")?.putImageData(new ImageData(bytes, width, height), 0, 0);
}
