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
    const { columns } = message;
    const samples = message.arrays.samples;
    const width = columns.length;
    const [at, step, epoch] = ["index", "step", "epoch"].map((name) => columns.indexOf(name));
    const known = columns.map((name, c) =>
      c === at || c === step || c === epoch ? null : this.column(name),
    );
    for (let row = 0; row + width <= samples.length; row += width) {
      if (samples[row + at] <= this.last) continue;
      this.last = samples[row + at];
      if (samples[row + step] % message.stride !== 0) continue;
      this.step.push(samples[row + step]);
      this.epoch.push(samples[row + epoch]);
      for (let c = 0; c < width; c++) known[c]?.push(samples[row + c]);
    }
    for (const values of this.series.values()) while (values.length < this.length) values.push(Number.NaN);
    if (message.stride > this.stride) {
      this.stride = message.stride;
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
