// The curves' numbers: rows that each stand for the steps since the row before, kept as columns.
import type { MetricsMessage } from "./wire";

/** What is kept of one metric in each row. */
export interface Series {
  mean: number[];
  low: number[];
  high: number[];
}

/** A stretch of n steps begins at step n · EARLY at the earliest; the same number as on the server. */
export const EARLY = 64;

/**
 * Rows of the run by column; a column that a row does not have is NaN there. When the stride grows, neighbours are
 * merged by the same rule as on the server, so that both hold the same numbers.
 */
export class History {
  stride = 1;
  step: number[] = [];
  epoch: number[] = [];
  /** "train_loss", "test_accuracy", "grad_norm.0", … each as long as `step`. */
  series = new Map<string, Series>();
  /** Index of the last sample, -1 when there is none: what to ask for after an interruption. */
  last = -1;

  get length(): number {
    return this.step.length;
  }

  /** The mean of a metric in every row. */
  mean(name: string): number[] {
    return this.series.get(name)?.mean ?? [];
  }

  append(message: MetricsMessage): void {
    const { columns } = message;
    const [index, step, epoch] = ["index", "step", "epoch"].map((name) => columns.indexOf(name));
    this.thin(message.stride);
    const metrics = columns.flatMap((name, column) =>
      [index, step, epoch].includes(column) ? [] : [{ column, series: this.column(name) }],
    );
    for (let row = 0; row < message.length; row++) {
      if (message.value(row, index) <= this.last) continue;
      this.last = message.value(row, index);
      const end = stretchEnd(message.value(row, step), this.stride);
      // The server has merged what is held of the same steps into this row.
      while (this.length && stretchEnd(this.step[this.length - 1], this.stride) === end) this.drop();
      this.step.push(message.value(row, step));
      this.epoch.push(message.value(row, epoch));
      for (const { column, series } of metrics) {
        series.mean.push(message.value(row, column));
        series.low.push(message.low(row, column));
        series.high.push(message.high(row, column));
      }
      this.fill();
    }
  }

  /** Adds one row of one moment. */
  add(step: number, epoch: number, metrics: Record<string, number | null>): void {
    this.step.push(step);
    this.epoch.push(epoch);
    for (const [name, value] of Object.entries(metrics)) {
      const series = this.column(name, this.length - 1);
      for (const values of [series.mean, series.low, series.high]) values.push(value ?? Number.NaN);
    }
    this.fill();
  }

  /** Merges rows until each stretch of steps has one; lengths double one after the other. */
  thin(stride: number): void {
    while (this.stride < stride) {
      this.stride *= 2;
      this.merge();
    }
  }

  private column(name: string, length = this.length): Series {
    let series = this.series.get(name);
    if (!series) {
      const empty = () => new Array<number>(length).fill(Number.NaN);
      series = { mean: empty(), low: empty(), high: empty() };
      this.series.set(name, series);
    }
    return series;
  }

  private fill(): void {
    for (const { mean, low, high } of this.series.values())
      for (const values of [mean, low, high]) while (values.length < this.length) values.push(Number.NaN);
  }

  private drop(): void {
    this.step.pop();
    this.epoch.pop();
    for (const { mean, low, high } of this.series.values())
      for (const values of [mean, low, high]) values.pop();
  }

  private merge(): void {
    const { step, epoch, series } = this;
    let kept = 0;
    for (let row = 0; row < step.length; row++) {
      const joins =
        kept > 0 && stretchEnd(step[kept - 1], this.stride) === stretchEnd(step[row], this.stride);
      const into = joins ? kept - 1 : kept;
      const wide = kept > 1 ? Math.max(step[kept - 1] - step[kept - 2], 1) : 1;
      const other = Math.max(step[row] - step[kept - 1], 1);
      for (const { mean, low, high } of series.values()) {
        mean[into] = joins ? weighted(mean[into], wide, mean[row], other) : mean[row];
        low[into] = joins ? ofNumbers(Math.min, low[into], low[row]) : low[row];
        high[into] = joins ? ofNumbers(Math.max, high[into], high[row]) : high[row];
      }
      step[into] = step[row];
      epoch[into] = epoch[row];
      kept = into + 1;
    }
    for (const values of [step, epoch]) values.length = kept;
    for (const { mean, low, high } of series.values())
      for (const values of [mean, low, high]) values.length = kept;
  }
}

/** The last step of the stretch that a step belongs to. */
export function stretchEnd(step: number, stride: number): number {
  let length = 1;
  while (length < stride && step > 2 * length * EARLY) length *= 2;
  return Math.ceil(step / length) * length;
}

function weighted(one: number, wide: number, two: number, other: number): number {
  if (Number.isNaN(one)) return two;
  if (Number.isNaN(two)) return one;
  return (wide * one + other * two) / (wide + other);
}

/** Of two numbers, either of which may be missing. */
function ofNumbers(choose: (a: number, b: number) => number, one: number, two: number): number {
  if (Number.isNaN(one)) return two;
  return Number.isNaN(two) ? one : choose(one, two);
}
