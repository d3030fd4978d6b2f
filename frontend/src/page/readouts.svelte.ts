// Numbers for people: they change ten times a second, however fast frames come.
import { latest } from "../frames";
import { History } from "../history";
import type { MetricsMessage } from "../wire";

/** `train_loss`, `test_loss`, `train_accuracy`, …; null where there is none. */
export type Metrics = Record<string, number | null>;

const INTERVAL_MS = 100;

export class Readouts {
  step = $state(0);
  epoch = $state(0);
  metrics = $state.raw<Metrics>({});
  /** Plain columns, outside of reactive state: whoever reads them reads `version` too. */
  history = new History();
  /** Counts up when the history or the newest frame has changed. */
  version = $state(0);

  private timer: ReturnType<typeof setTimeout> | null = null;

  append(message: MetricsMessage): void {
    this.history.append(message);
    this.refresh();
  }

  /** Reads the newest numbers soon. */
  refresh(): void {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.version++;
      this.read();
    }, INTERVAL_MS);
  }

  /** Where the run stands, in the words of the server; while it trains, frames are newer. */
  place(step: number, epoch: number): void {
    this.step = step;
    this.epoch = epoch;
  }

  /** What comes next is of another run. */
  clear(): void {
    this.history = new History();
    this.version++;
    this.metrics = {};
  }

  private read(): void {
    const { history } = this;
    const frame = latest();
    const row = history.length - 1;
    if (frame && (row < 0 || frame.step >= history.step[row])) {
      this.place(frame.step, frame.epoch);
      this.metrics = frame.metrics;
    } else if (row >= 0) {
      this.place(history.step[row], history.epoch[row]);
      this.metrics = Object.fromEntries(
        [...history.series].map(([name, values]) => [name, Number.isNaN(values[row]) ? null : values[row]]),
      );
    }
  }
}
