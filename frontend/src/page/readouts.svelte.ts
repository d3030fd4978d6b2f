// Numbers for people: they change ten times a second, however fast frames come.
import { History } from "../history";
import type { MetricsMessage } from "../wire";

/** `train_loss`, `test_loss`, `train_accuracy`, …; null where there is none. */
export type Metrics = Record<string, number | null>;
/** Where a run stands, and how well it does there. */
export interface Moment {
  step: number;
  epoch: number;
  metrics: Metrics;
}

const INTERVAL_MS = 100;
const DRAWN_ROWS = 4096;

export class Readouts {
  step = $state(0);
  epoch = $state(0);
  metrics = $state.raw<Metrics>({});
  /** Plain columns, outside of reactive state, as is `now`: whoever reads them reads `version` too. */
  history = new History();
  /** The moments between the samples that were drawn here: bounded as the history is. */
  drawn = new History();
  /** The newest that is known; null before the first. */
  now: Moment | null = null;
  /** Counts up when the history, `now` or the newest frame has changed. */
  version = $state(0);

  private timer: ReturnType<typeof setTimeout> | null = null;

  take(message: MetricsMessage): void {
    if (!message.current) this.history.append(message);
    if (message.length) {
      const moment = momentOf(message);
      if (message.current && moment.step > (this.drawn.step.at(-1) ?? -1)) {
        this.drawn.add(moment.step, moment.epoch, moment.metrics);
        if (this.drawn.length > DRAWN_ROWS) this.drawn.thin(this.drawn.stride * 2);
      }
      if (!this.now || moment.step >= this.now.step) this.now = moment;
    }
    this.refresh();
  }

  /** Where the run stands, in the words of the server. */
  place(step: number, epoch: number): void {
    this.step = step;
    this.epoch = epoch;
  }

  /** What comes next is of another run. */
  clear(): void {
    this.history = new History();
    this.drawn = new History();
    this.now = null;
    this.version++;
    this.metrics = {};
  }

  /** Shows the newest numbers soon. */
  refresh(): void {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.version++;
      if (!this.now) return;
      this.place(this.now.step, this.now.epoch);
      this.metrics = this.now.metrics;
    }, INTERVAL_MS);
  }
}

/** What the last row of a message tells. */
function momentOf(message: MetricsMessage): Moment {
  const values = message.columns.map((name, column): [string, number | null] => {
    const value = message.value(message.length - 1, column);
    return [name, Number.isNaN(value) ? null : value];
  });
  const { index, step, epoch, ...metrics } = Object.fromEntries(values);
  return { step: step ?? 0, epoch: epoch ?? 0, metrics };
}
