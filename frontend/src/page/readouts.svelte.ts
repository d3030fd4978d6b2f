// Numbers for people: those of the frame that is on the screen. The curves follow ten times a second.
import { History } from "../history";
import type { Frame, MetricsMessage } from "../wire";

/** `train_loss`, `test_loss`, `train_accuracy`, …; null where there is none. */
export type Metrics = Record<string, number | null>;
/** Where a run stands, and how well it does there. */
export interface Moment {
  step: number;
  epoch: number;
  metrics: Metrics;
}

const INTERVAL_MS = 100;

export class Readouts {
  step = $state(0);
  epoch = $state(0);
  metrics = $state.raw<Metrics>({});
  /** The pictures jump back and forth faster than they are shown. */
  oscillates = $state(false);
  /** Plain columns, outside of reactive state, as is `now`: whoever reads them reads `version` too. */
  history = new History();
  /** Of the frame on the screen; null before the first. */
  now: Moment | null = null;
  /** Counts up, ten times a second at most, when the history or `now` has changed. */
  version = $state(0);

  private timer: ReturnType<typeof setTimeout> | null = null;

  append(message: MetricsMessage): void {
    this.history.append(message);
    this.refresh();
  }

  /** Takes the numbers of a frame, at the moment in which it is painted. */
  show({ metrics }: Frame): void {
    if (!metrics?.length) return;
    this.now = momentOf(metrics);
    this.place(this.now.step, this.now.epoch);
    this.metrics = this.now.metrics;
    this.refresh();
  }

  /** Where the run stands, in the words of the server, before there is a frame. */
  place(step: number, epoch: number): void {
    this.step = step;
    this.epoch = epoch;
  }

  /** What comes next is of another run. */
  clear(): void {
    this.history = new History();
    this.now = null;
    this.version++;
    this.metrics = {};
  }

  /** Lets the curves follow soon. */
  private refresh(): void {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.version++;
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
