// The picture engine, without a framework: of the frames that arrive between two screen refreshes only the
// newest is painted, and painting it acknowledges it, so the server never runs ahead of this screen.
import type { Frame } from "./wire";

type Painter = (frame: Frame) => void;

const painters = new Set<Painter>();
let newest: Frame | null = null;
let waiting = false;
let acknowledge: (frame: Frame) => void = () => {};

/** Calls `paint` with the newest frame at each refresh that has a new one, and at once if there is one already. */
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
  newest = frame;
  unacknowledged = frame;
  schedule();
}

/** Forgets the last frame: what comes next is another session. */
export function forget(): void {
  newest = null;
}

let unacknowledged: Frame | null = null;

function schedule(): void {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    const frame = newest;
    if (!frame) return;
    for (const paint of painters) {
      try {
        paint(frame);
      } catch (error) {
        // One broken painter must not stop the others.
        reportError(error);
      }
    }
    if (unacknowledged) acknowledge(unacknowledged);
    unacknowledged = null;
  });
}
