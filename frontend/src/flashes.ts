// At a high learning rate the maps flip many times a second, which can cause seizures (WCAG 2.3.1, three flashes or
// below threshold). A large change is shown no sooner than a while after the last one; what comes meanwhile and looks
// like what is on the screen goes on as ever.
import type { Picture } from "./maps";

/** Of relative luminance; a flash begins at 0.1. */
const STEP = 0.05;
/** Share of a picture; a flash begins at a quarter. */
const AREA = 0.2;
/** Between two large changes: three a second, and one for who asked for less motion. */
export const REST_MS = { usual: 350, reduced: 1050 } as const;
/** Cells of a picture that are looked at, about. */
const CELLS = 10_000;
/** So many large changes that had to wait, one after another, are no accident. */
const JUMPS = 8;

const LINEAR = Float32Array.from({ length: 256 }, (_, i) => {
  const value = i / 255;
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
});

/** The relative luminance of a colour as in ImageData. */
export const luminance = (colour: number): number =>
  0.2126 * LINEAR[colour & 255] +
  0.7152 * LINEAR[(colour >> 8) & 255] +
  0.0722 * LINEAR[(colour >> 16) & 255];

/** The relative luminances of the cells of pictures that are seen as one; of many, every so manieth. */
export function luminances(pictures: Picture[]): Float32Array {
  const total = pictures.reduce((sum, { size }) => sum + size * size, 0);
  const stride = Math.max(1, Math.ceil(total / CELLS));
  const out = new Float32Array(Math.ceil(total / stride));
  let colours = new Uint32Array();
  let start = 0;
  for (const { size, fill } of pictures) {
    if (colours.length !== size * size) colours = new Uint32Array(size * size);
    fill(colours);
    const first = Math.ceil(start / stride) * stride;
    for (let cell = first; cell < start + colours.length; cell += stride)
      out[cell / stride] = luminance(colours[cell - start]);
    start += colours.length;
  }
  return out;
}

/** One picture over time: which way each cell goes, and how far it has gone. */
class Course {
  private readonly extreme: Float32Array;
  private readonly direction: Int8Array;
  /** Cells that have turned since the last large change. */
  private readonly turned: Uint8Array;

  constructor(first: Float32Array) {
    this.extreme = first.slice();
    this.direction = new Int8Array(first.length);
    this.turned = new Uint8Array(first.length);
  }

  fits(next: Float32Array): boolean {
    return next.length === this.extreme.length;
  }

  /** Whether this picture, shown next, would be a large change: so many cells turn back. */
  jumps(next: Float32Array): boolean {
    let count = 0;
    for (let i = 0; i < next.length; i++) if (this.turned[i] || this.turns(next[i], i)) count++;
    return count > AREA * next.length;
  }

  show(next: Float32Array, jump: boolean): void {
    for (let i = 0; i < next.length; i++) {
      const way = next[i] - this.extreme[i];
      if (this.turns(next[i], i)) {
        this.direction[i] = Math.sign(way);
        this.extreme[i] = next[i];
        this.turned[i] = 1;
      } else if (way * this.direction[i] > 0) this.extreme[i] = next[i];
    }
    if (jump) this.turned.fill(0);
  }

  private turns(next: number, i: number): boolean {
    const way = next - this.extreme[i];
    return Math.abs(way) >= STEP && way * this.direction[i] <= 0;
  }
}

export class Flashes {
  private courses: Course[] = [];
  private last = Number.NEGATIVE_INFINITY;
  private waits = false;
  /** When a large change was shown that had had to wait. */
  private late: number[] = [];

  /** `rest`: milliseconds between two large changes. */
  constructor(private readonly rest: () => number) {}

  /** Whether these may be shown now, and if so, they are. `pictures`: the luminances of each. */
  admit(pictures: Float32Array[], now: number): boolean {
    const courses = pictures.map((cells, i) =>
      this.courses[i]?.fits(cells) ? this.courses[i] : new Course(cells),
    );
    const jump = courses.some((course, i) => course.jumps(pictures[i]));
    if (jump && now - this.last < this.rest()) {
      this.waits = true;
      return false;
    }
    this.courses = courses;
    courses.forEach((course, i) => {
      course.show(pictures[i], jump);
    });
    if (jump) {
      if (this.waits) this.late = [...this.late, now].slice(-JUMPS);
      this.waits = false;
      this.last = now;
    }
    return true;
  }

  /** Whether the pictures jump back and forth, again and again. */
  oscillates(now: number): boolean {
    return this.late.length === JUMPS && now - this.late[0] < (JUMPS + 2) * this.rest();
  }
}
