// One quiet line about what a learner would ask, where the reason is known for sure.
import type { History } from "../history";
import type { Key } from "../i18n";
import type { Value } from "../types";

/** What has happened, and why. */
export interface Remark {
  key: Extract<Key, `remark.${string}`>;
  values: Record<string, Value>;
}

/** A change, and what it was of. */
export interface Changed {
  step: number;
  label: string;
  /** Whether losses before and after it are measured alike. */
  sameLoss: boolean;
  /** Whether the points are the same before and after. */
  samePoints: boolean;
}

export interface Seen {
  history: History;
  step: number;
  changes: Changed[];
  /** Points that the network is tested on. */
  testPoints: number;
  /** All weights into the output are 0. */
  silentOutput: boolean;
  /** A banner says already what is wrong. */
  troubled: boolean;
}

const AFTER = 200; // steps in which a spike is put down to a change
const BEFORE = 20; // rows that tell how calm the loss was before
const LEAST_ROWS = 40;
const STRETCH = 0.1; // of the rows make one mean

/** What is most worth saying now, or null. */
export function remarkOf(seen: Seen): Remark | null {
  if (seen.troubled) return null;
  if (seen.silentOutput) return { key: "remark.uniform", values: {} };
  return spike(seen) ?? overfitting(seen) ?? lessAccurate(seen) ?? untested(seen);
}

/** The loss was calm, and rose within a few steps of a change to a multiple of what it was. */
function spike({ history, step, changes }: Seen): Remark | null {
  const last = changes.at(-1);
  if (!last?.sameLoss || step - last.step > 2 * AFTER || step <= last.step) return null;
  const loss = history.series.get("train_loss");
  const first = history.step.findIndex((at) => at > last.step);
  if (!loss || first < 2) return null;
  const before = loss.high.slice(Math.max(0, first - BEFORE), first);
  const calm = loss.mean[first - 1];
  let end = first;
  while (end < history.length && history.step[end] <= last.step + AFTER) end++;
  const peak = Math.max(...loss.high.slice(first, end));
  if (!(Math.max(...before) < 1.5 * calm + 0.02)) return null;
  if (!(peak > 3 * calm && peak > calm + 0.1)) return null;
  return { key: "remark.spike", values: { change: last.label } };
}

/** Rows since the points or the loss were last other ones. */
function sinceChange({ history, changes }: Seen): number {
  const cut = changes.findLast((change) => !change.sameLoss || !change.samePoints)?.step ?? -1;
  return history.step.findIndex((at) => at > cut);
}

/** Test loss has turned and gone up by a quarter, while training loss went on going down. */
function overfitting(seen: Seen): Remark | null {
  const { history } = seen;
  const from = sinceChange(seen);
  const train = means(history.mean("train_loss"), from);
  const test = means(history.mean("test_loss"), from);
  if (!train.length || test.some(Number.isNaN)) return null;
  const turn = test.indexOf(Math.min(...test));
  const end = test.length - 1;
  if (turn > end - 2 || !(test[end] > 1.25 * test[turn] && test[end] > test[turn] + 0.02)) return null;
  if (!(train[end] < 0.9 * train[turn])) return null;
  const row = from + Math.round(((turn + 0.5) / test.length) * (history.length - from));
  const epoch = Math.floor(history.epoch[Math.min(row, history.length - 1)]);
  return { key: "remark.overfitting", values: { epoch } };
}

/** Of the same points fewer are right than a while ago, and yet the loss is lower. */
function lessAccurate(seen: Seen): Remark | null {
  const { history } = seen;
  const from = sinceChange(seen);
  const loss = means(history.mean("train_loss"), from);
  const accuracy = means(history.mean("train_accuracy"), from);
  if (!loss.length || !accuracy.length) return null;
  const end = loss.length - 1;
  const recent = accuracy.slice(Math.floor(end / 2), end);
  const before = Math.floor(end / 2) + recent.indexOf(Math.max(...recent));
  const sank = loss[end] < 0.95 * loss[before] && accuracy[end] < accuracy[before] - 0.01;
  return sank ? { key: "remark.less_accurate", values: {} } : null;
}

const untested = ({ testPoints, step }: Seen): Remark | null =>
  testPoints === 0 && step > 0 ? { key: "remark.no_test", values: {} } : null;

/** Means of equal stretches, so that roughness is not taken for a trend; empty where there is too little. */
function means(values: number[], from: number): number[] {
  const rows = values.length - from;
  if (from < 0 || rows < LEAST_ROWS) return [];
  const count = Math.round(1 / STRETCH);
  return Array.from({ length: count }, (_, i) => {
    const stretch = values.slice(
      from + Math.floor((i * rows) / count),
      from + Math.floor(((i + 1) * rows) / count),
    );
    return stretch.reduce((sum, value) => sum + value, 0) / stretch.length;
  });
}

const HOLD_MS = 8_000;
const LOOK_MS = 1_000;

/** Lets a remark stand long enough to be read, and come only where it has held for two looks. */
export class Steady {
  private shown: Remark | null = null;
  private candidate: Remark | null = null;
  private since = Number.NEGATIVE_INFINITY;
  private looked = Number.NEGATIVE_INFINITY;

  /** What to show at this time (in ms); `look` is asked once a second at most. */
  at(now: number, look: () => Remark | null): Remark | null {
    if (now - this.looked < LOOK_MS) return this.shown;
    this.looked = now;
    const next = look();
    const held = next?.key === this.candidate?.key;
    this.candidate = next;
    if (next?.key === this.shown?.key || !held || now - this.since < HOLD_MS) return this.shown;
    this.shown = next;
    this.since = now;
    return this.shown;
  }

  /** Forgets what it shows: another run. */
  clear(): void {
    this.shown = this.candidate = null;
    this.since = this.looked = Number.NEGATIVE_INFINITY;
  }
}
