// The picture engine, without a framework: one frame is painted at each screen refresh. Whoever draws draws this one,
// so pictures and numbers are of one moment. Having seen a frame acknowledges it, so the server never runs ahead of
// this screen. Frames arrive as often as the screen refreshes, but not in step with it: one that comes early waits for
// the next refresh, and no more than one.
import type { Frame } from "./wire";

type Painter = (frame: Frame) => void;
/** Whether a frame may be painted at this time, in milliseconds. */
type Guard = (frame: Frame, now: number) => boolean;

const painters = new Set<Painter>();
let newest: Frame | null = null;
/** Came after `newest`, and may not be painted yet; the next one takes its place. */
let held: Frame | null = null;
const early: Frame[] = [];
let waiting = false;
let again = false;
let acknowledge: (frame: Frame) => void = () => {};
let admits: Guard = () => true;

/** Calls `paint` at each refresh that has a new frame, and at once if there is a frame already. */
export function onFrame(paint: Painter): () => void {
  painters.add(paint);
  if (newest) paint(newest);
  return () => painters.delete(paint);
}

/** The frame that is on the screen. */
export function latest(): Frame | null {
  return newest;
}

/** Paints the newest frame again, for instance after a change of theme. */
export function repaint(): void {
  if (!newest) return;
  again = true;
  schedule();
}

/** Called with each frame once it is on the screen, or has been passed over. */
export function onDrawn(ack: (frame: Frame) => void): void {
  acknowledge = ack;
}

/** Asked before each frame; one that is refused is asked about again at the next refresh, unless another came. */
export function guard(by: Guard): void {
  admits = by;
}

export function deliver(frame: Frame): void {
  early.push(frame);
  if (early.length > 2) early.shift();
  schedule();
}

/** Forgets the last frame: what comes next is another session. */
export function forget(): void {
  newest = held = null;
  early.length = 0;
}

function schedule(): void {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(refresh);
}

function refresh(now: number): void {
  waiting = false;
  const arrived = early.shift();
  held = arrived ?? held;
  if (held && admits(held, now)) {
    newest = held;
    held = null;
    again = true;
  }
  if (newest && again) paintAll(newest);
  again = false;
  if (arrived) acknowledge(arrived);
  if (early.length || held) schedule();
}

function paintAll(frame: Frame): void {
  for (const paint of painters) {
    try {
      paint(frame);
    } catch (error) {
      // One broken painter must not stop the others.
      reportError(error);
    }
  }
}
