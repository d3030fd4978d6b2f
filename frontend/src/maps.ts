// Paints the maps of a message onto canvases, a cell a pixel; CSS scales them. It knows no framework.
import {
  diverging,
  divergingDiscrete,
  paintChannels,
  paintClasses,
  paintPalette,
  paintShares,
  paintSigned,
  type Theme,
} from "./colours";
import type { Task } from "./types";
import type { ByteMap, Frame } from "./wire";

/** Magnitude of a regression value that gets the full colour. */
export function scaleOf(task: Task | null): number {
  const [lo, hi] = task?.target_range ?? [-1, 1];
  return Math.max(Math.abs(lo), Math.abs(hi)) || 1;
}

export interface Look {
  theme: Theme;
  discretise: boolean;
  /** Of several networks: how far they differ, instead of their mean. */
  spread?: boolean;
}

/** A map in colours: its cells along a side, and what fills in their colours. */
export interface Picture {
  size: number;
  fill: (colours: Uint32Array) => void;
}

/** One buffer for all maps of a size: putImageData copies at once. */
const buffers = new Map<number, ImageData>();

function put(canvas: HTMLCanvasElement, { size, fill }: Picture): void {
  if (canvas.width !== size || canvas.height !== size) {
    canvas.width = size;
    canvas.height = size;
  }
  let buffer = buffers.get(size);
  if (!buffer) {
    buffer = new ImageData(size, size);
    buffers.set(size, buffer);
  }
  fill(new Uint32Array(buffer.data.buffer));
  canvas.getContext("2d")?.putImageData(buffer, 0, 0);
}

const tableFor = ({ theme, discretise }: Look) => (discretise ? divergingDiscrete : diverging)[theme];

/** Signed values; `scale` is the magnitude that gets the full colour, by default what the map needs. */
export const pictureOf = (map: ByteMap, look: Look, scale?: number): Picture => ({
  size: map.size,
  fill: (out) => paintSigned(out, map.bytes, map.lo, map.hi, tableFor(look), scale),
});

/** What the network answers; `scale` as above, for a regression. Null before there is an answer. */
export function decisionPicture(frame: Frame, look: Look, scale: number): Picture | null {
  const { decision, confidence, taskKind, colours, palette, spread } = frame;
  if (look.spread && spread) return pictureOf(spread, look);
  if (colours) return { size: colours.size, fill: (out) => paintChannels(out, colours.bytes) };
  if (!decision) return null;
  if (palette) {
    const { size, bytes } = decision;
    return { size, fill: (out) => paintPalette(out, bytes, confidence, palette, look.discretise) };
  }
  if (taskKind === "regression") return pictureOf(decision, look, frame.ranks ? decision.hi : scale);
  const fill = (out: Uint32Array) =>
    confidence
      ? paintClasses(out, decision.bytes, look.discretise ? null : confidence, look.theme)
      : paintShares(out, decision.bytes, tableFor(look));
  return { size: decision.size, fill };
}

export const paintMap = (canvas: HTMLCanvasElement, map: ByteMap, look: Look, scale?: number): void =>
  put(canvas, pictureOf(map, look, scale));

export function paintDecision(canvas: HTMLCanvasElement, frame: Frame, look: Look, scale: number): void {
  const picture = decisionPicture(frame, look, scale);
  if (picture) put(canvas, picture);
}
