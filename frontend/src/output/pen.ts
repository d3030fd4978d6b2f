// What each tool does along a stroke of the pointer, or under the crosshair of the keyboard.
import type { Tool } from "../page/hand.svelte";
import { erased, type Hit, hit, moved, withPoint } from "./drawing";
import type { Sketch } from "./sketch.svelte";

/** Pixels around the pointer that move and erase take hold of. */
export const REACH = 9;
const SPACING = 9; // pixels between points drawn by one stroke
/** A point to be moved or chosen may be so much farther away. */
export const GRASP = 1.6;

export interface Hold {
  tool: Tool;
  /** What is drawn: a class, or a value for a regression. */
  target: number;
  /** Inputs that one pixel of the square is. */
  pixel: number;
  /** Test points are on the screen, so that they can be moved and erased. */
  withTest: boolean;
  /** Points that there may be. */
  most: number;
}

type At = [x1: number, x2: number];

export class Pen {
  private held: Hit | null = null;
  private last: At | null = null;

  constructor(private readonly sketch: Sketch) {}

  /** A point is being moved. */
  get holding(): boolean {
    return this.held !== null;
  }

  /** Begins a stroke. True when a point has been drawn. */
  down(at: At, hold: Hold): boolean {
    this.lift();
    this.sketch.begin();
    if (hold.tool === "move") {
      this.held = hit(this.sketch.current(), ...at, GRASP * REACH * hold.pixel, hold.withTest);
      return false;
    }
    return this.follow(at, hold);
  }

  /** Goes on with a stroke. True when a point has been drawn. */
  follow(at: At, hold: Hold): boolean {
    if (hold.tool === "draw") return this.draw(at, hold);
    if (hold.tool === "erase") this.rub(at, hold);
    const { held } = this;
    if (hold.tool === "move" && held) this.sketch.edit((drawing) => moved(drawing, held, ...at));
    return false;
  }

  lift(): void {
    this.held = null;
    this.last = null;
  }

  /** Erases at one place, with any tool in the hand. */
  erase(at: At, hold: Hold): void {
    this.sketch.begin();
    this.rub(at, hold);
  }

  private draw(at: At, { target, pixel, most }: Hold): boolean {
    const { last } = this;
    if (last && Math.hypot(at[0] - last[0], at[1] - last[1]) < SPACING * pixel) return false;
    this.last = at;
    this.sketch.edit((drawing) => withPoint(drawing, ...at, target, most));
    return true;
  }

  private rub(at: At, { pixel, withTest }: Hold): void {
    this.sketch.edit((drawing) => erased(drawing, ...at, REACH * pixel, withTest));
  }
}
