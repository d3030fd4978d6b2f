// Paints the maps of a message onto canvases, a cell a pixel; CSS scales them. It knows no framework.
import { diverging, divergingDiscrete, paintClasses, paintShares, paintSigned, type Theme } from "./colours";
import type { ByteMap, Frame } from "./wire";

export interface Look {
  theme: Theme;
  discretise: boolean;
}

/** One buffer for all maps of a size: putImageData copies at once. */
const buffers = new Map<number, ImageData>();

function put(canvas: HTMLCanvasElement, size: number, paint: (colours: Uint32Array) => void): void {
  if (canvas.width !== size || canvas.height !== size) {
    canvas.width = size;
    canvas.height = size;
  }
  let buffer = buffers.get(size);
  if (!buffer) {
    buffer = new ImageData(size, size);
    buffers.set(size, buffer);
  }
  paint(new Uint32Array(buffer.data.buffer));
  canvas.getContext("2d")?.putImageData(buffer, 0, 0);
}

const tableFor = ({ theme, discretise }: Look) => (discretise ? divergingDiscrete : diverging)[theme];

/** Paints signed values; `scale` is the magnitude that gets the full colour, by default what the map needs. */
export function paintMap(canvas: HTMLCanvasElement, map: ByteMap, look: Look, scale?: number): void {
  put(canvas, map.size, (out) => paintSigned(out, map.bytes, map.lo, map.hi, tableFor(look), scale));
}

/** Paints what the network answers; `scale` as above, for a regression. */
export function paintDecision(canvas: HTMLCanvasElement, frame: Frame, look: Look, scale: number): void {
  const { decision, confidence, taskKind } = frame;
  if (!decision) return;
  if (taskKind === "regression") paintMap(canvas, decision, look, scale);
  else
    put(canvas, decision.size, (out) => {
      if (confidence) paintClasses(out, decision.bytes, look.discretise ? null : confidence, look.theme);
      else paintShares(out, decision.bytes, tableFor(look));
    });
}
