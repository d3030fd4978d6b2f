// The curves' numbers: one row for each sample of the run, kept as columns.
import type { MetricsMessage } from "./wire";

/** Samples of a run by column; a column that a row does not have is NaN there. */
export class History {
  /** Keeps rows whose step is a multiple of this: the same rule as on the server. */
  stride = 1;
  step: number[] = [];
  epoch: number[] = [];
  /** "train_loss", "test_accuracy", "grad_norm.0", … each as long as `step`. */
  series = new Map<string, number[]>();
  /** Index of the last sample, -1 when there is none: what to ask for after an interruption. */
  last = -1;

  get length(): number {
    return this.step.length;
  }

  append(message: MetricsMessage): void {
    const { columns, stride } = message;
    const [index, step, epoch] = ["index", "step", "epoch"].map((name) => columns.indexOf(name));
    const known = columns.map((name, c) => ([index, step, epoch].includes(c) ? null : this.column(name)));
    for (let row = 0; row < message.length; row++) {
      if (message.value(row, index) <= this.last) continue;
      this.last = message.value(row, index);
      if (message.value(row, step) % stride !== 0) continue;
      this.step.push(message.value(row, step));
      this.epoch.push(message.value(row, epoch));
      known.forEach((values, column) => {
        values?.push(message.value(row, column));
      });
    }
    for (const values of this.series.values()) while (values.length < this.length) values.push(Number.NaN);
    if (stride > this.stride) {
      this.stride = stride;
      this.thin();
    }
  }

  private column(name: string): number[] {
    let values = this.series.get(name);
    if (!values) {
      values = new Array<number>(this.length).fill(Number.NaN);
      this.series.set(name, values);
    }
    return values;
  }

  private thin(): void {
    const kept = this.step.map((step) => step % this.stride === 0);
    const thinned = (values: number[]) => values.filter((_, row) => kept[row]);
    const step = thinned(this.step);
    this.epoch = thinned(this.epoch);
    for (const [name, values] of this.series) this.series.set(name, thinned(values));
    this.step = step;
  }
}
