// The picture engine, without a framework: one frame is painted at each screen refresh, and painting it
// acknowledges it, so the server never runs ahead of this screen. Frames arrive as often as the screen
// refreshes, but not in step with it: one that comes early waits for the next refresh, and no more than one.
import type { Frame } from "./wire";

type Painter = (frame: Frame) => void;

const painters = new Set<Painter>();
let newest: Frame | null = null;
const early: Frame[] = [];
let waiting = false;
let acknowledge: (frame: Frame) => void = () => {};

/** Calls `paint` at each refresh that has a new frame, and at once if there is a frame already. */
export function onFrame(paint: Painter): () => void {
  painters.add(paint);
  if (newest) paint(newest);
  return () => painters.delete(paint);
}

export function latest(): Frame | null {
  return newest;
}

/** Paints the newest frame again, for instance after a change of theme. */
export function repaint(): void {
  if (newest) schedule();
}

/** Called with each frame once it is on the screen. */
export function onDrawn(ack: (frame: Frame) => void): void {
  acknowledge = ack;
}

export function deliver(frame: Frame): void {
  early.push(frame);
  if (early.length > 2) early.shift();
  newest ??= frame;
  schedule();
}

/** Forgets the last frame: what comes next is another session. */
export function forget(): void {
  newest = null;
  early.length = 0;
}

function schedule(): void {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    const fresh = early.shift();
    newest = fresh ?? newest;
    if (!newest) return;
    for (const paint of painters) {
      try {
        paint(newest);
      } catch (error) {
        // One broken painter must not stop the others.
        reportError(error);
      }
    }
    if (fresh) acknowledge(fresh);
    if (early.length) schedule();
  });
}
