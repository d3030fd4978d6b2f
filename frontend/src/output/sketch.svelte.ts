// Drawing while training goes on: what the visitor drew is shown at once, sent in batches, and gives way to what
// the server shows as soon as both agree. No network learns from no points, so an empty map waits here for its first.
import { newGesture } from "../gesture";
import type { Change } from "../page/experiment.svelte";
import type { Component } from "../types";
import type { DataMessage, Points } from "../wire";
import { asData, cleared, type Drawing, drawingOf, type Point } from "./drawing";
import { Paced } from "./paced";

const PATIENCE_MS = 1500; // after that the server's points count, whatever they are

/** Where the sketch begins and where it goes. */
export interface Source {
  readonly data: DataMessage;
  /** The config's data. */
  readonly component: Component;
  readonly trainFraction: number;
  readonly change: Change;
}

export class Sketch {
  /** What is drawn and not yet seen from the server; null when the server's data are the truth. */
  drawing = $state.raw<Drawing | null>(null);
  /** Nothing of it can be sent before it has a training point. */
  readonly empty = $derived(this.drawing?.points.length === 0);
  private patience: ReturnType<typeof setTimeout> | null = null;
  private readonly paced = new Paced<Drawing>(
    (drawing) => this.send(drawing),
    () => this.settle(),
  );
  private gesture = 0;

  constructor(private readonly source: Source) {}

  /** A new stroke: what it does is undone together. */
  begin(): void {
    this.gesture = newGesture();
  }

  /** What an edit starts from: the drawing, or all that is on the screen, so that a first edit loses nothing. */
  current(): Drawing {
    return this.drawing ?? drawingOf(this.source.data);
  }

  edit(change: (drawing: Drawing) => Drawing): void {
    const before = this.current();
    const after = change(before);
    if (after === before) return;
    this.drawing = after;
    if (this.empty) this.paced.drop();
    else this.paced.push(after);
  }

  /** Takes all points off the map. */
  clear(): void {
    if (!this.empty) this.edit(cleared);
  }

  /** To be called when new data came in. */
  settle(): void {
    if (!this.drawing || this.empty || !this.paced.idle) return;
    if (agrees(this.drawing, this.source.data)) this.forget();
    else
      this.patience ??= setTimeout(() => {
        this.patience = null;
        if (this.paced.idle && !this.empty) this.forget();
      }, PATIENCE_MS);
  }

  /** Goes back to what the server has. */
  forget(): void {
    if (this.patience !== null) clearTimeout(this.patience);
    this.patience = null;
    this.paced.drop();
    this.drawing = null;
  }

  private async send(drawing: Drawing): Promise<void> {
    const { component, trainFraction, change } = this.source;
    const draw = component.kind === "points" && typeof component.draw === "number" ? component.draw : 0;
    const data = asData(drawing, trainFraction, draw);
    const done = await change({ data }, { adapt: true, gesture: this.gesture });
    if (!done) this.forget();
  }
}

// The server may hand the points back in another order and in float32, so sums are compared.
function agrees(drawing: Drawing, data: DataMessage): boolean {
  return same(drawing.points, data.originals("train")) && same(drawing.testPoints, data.points("test"));
}

function same(points: Point[], { inputs, targets, columns }: Omit<Points, "copies">): boolean {
  if (points.length !== targets.length) return false;
  let difference = 0;
  let weighted = 0;
  points.forEach(([x1, x2, target], i) => {
    const [a, b, c] = [inputs[i * columns], inputs[i * columns + 1], targets[i]];
    difference += x1 + 3 * x2 + 7 * target - (a + 3 * b + 7 * c);
    weighted += x1 * x1 + 3 * x2 * x2 - (a * a + 3 * b * b);
  });
  return Math.abs(difference) < 1e-3 && Math.abs(weighted) < 1e-2;
}
