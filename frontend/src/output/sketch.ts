// Drawing while training goes on: what the visitor drew is shown at once, sent in batches, and gives way to what
// the server shows as soon as both agree.
import { newGesture, page } from "../page.svelte";
import type { DataMessage } from "../wire";
import { adopted, asData, type Drawing, type Point } from "./drawing";
import { Paced } from "./paced";

const PATIENCE = 1500; // ms: after that the server's points count, whatever they are

export class Sketch {
  /** What is drawn and not yet seen from the server; null when the server's data are the truth. */
  drawing: Drawing | null = null;
  private patience: ReturnType<typeof setTimeout> | null = null;
  private readonly paced: Paced<Drawing>;
  private gesture = 0;

  constructor(private readonly changed: () => void) {
    this.paced = new Paced<Drawing>(
      (drawing) => this.send(drawing),
      () => this.settle(),
    );
  }

  /** A new stroke: what it does is undone together. */
  begin(): void {
    this.gesture = newGesture();
  }

  /** What an edit starts from: the drawing, or all that is on the screen, so that a first edit loses nothing. */
  current(): Drawing | null {
    if (this.drawing) return this.drawing;
    const data = page.data;
    if (!data) return null;
    const columns = data.problem.inputs;
    return {
      points: adopted(data.f32("train_inputs"), data.f32("train_targets"), columns),
      testPoints: adopted(data.f32("test_inputs"), data.f32("test_targets"), columns),
      classes: data.problem.classes,
    };
  }

  edit(change: (drawing: Drawing) => Drawing): void {
    const before = this.current();
    if (!before) return;
    const after = change(before);
    if (after === before) return;
    this.drawing = after;
    this.changed();
    this.paced.push(after);
  }

  /** To be called when new data came in. */
  settle(): void {
    if (!this.drawing || !this.paced.idle) return;
    if (page.data && agrees(this.drawing, page.data)) this.forget();
    else this.patience ??= setTimeout(() => this.paced.idle && this.forget(), PATIENCE);
  }

  /** Goes back to what the server has. */
  forget(): void {
    if (this.patience !== null) clearTimeout(this.patience);
    this.patience = null;
    this.paced.drop();
    this.drawing = null;
    this.changed();
  }

  private async send(drawing: Drawing): Promise<void> {
    const before = page.config?.data ?? { kind: "points" };
    const fraction = typeof before.train_fraction === "number" ? before.train_fraction : 0.5;
    const draw = before.kind === "points" && typeof before.draw === "number" ? before.draw : 0;
    const done = await page.change(
      { data: asData(drawing, fraction, draw) },
      { adapt: true, gesture: this.gesture },
    );
    if (!done) this.forget();
  }
}

// The server may hand the points back in another order and in float32, so sums are compared.
function agrees(drawing: Drawing, data: DataMessage): boolean {
  return (
    same(drawing.points, data.f32("train_inputs"), data.f32("train_targets"), data.problem.inputs) &&
    same(drawing.testPoints, data.f32("test_inputs"), data.f32("test_targets"), data.problem.inputs)
  );
}

function same(points: Point[], inputs: Float32Array, targets: Float32Array, columns: number): boolean {
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
