import { describe, expect, it } from "vitest";
import { History } from "../history";
import { type Changed, type Remark, remarkOf, type Seen, Steady } from "./remarks";

/** A run of 200 steps, ten to an epoch. */
function run(metrics: (step: number) => Record<string, number>, steps = 200): History {
  const history = new History();
  for (let step = 0; step <= steps; step++) history.add(step, step / 10, metrics(step));
  return history;
}

const seen = (history: History, more: Partial<Seen> = {}): Seen => ({
  history,
  step: history.step.at(-1) ?? 0,
  changes: [],
  testPoints: 250,
  silentOutput: false,
  troubled: false,
  ...more,
});

const change = (more: Partial<Changed> = {}): Changed => ({
  step: 100,
  label: "learning rate 3",
  sameLoss: true,
  samePoints: true,
  ...more,
});

const falling = (step: number) => 0.7 / (1 + step / 20);
const good = run((step) => ({
  train_loss: falling(step),
  test_loss: falling(step) + 0.02,
  train_accuracy: 0.9,
}));
const jumping = run((step) => ({ train_loss: step > 102 && step < 115 ? 2 : 0.1, test_loss: 0.1 }));

describe("a remark", () => {
  it("is not made while all goes as it should", () => {
    expect(remarkOf(seen(good))).toBeNull();
    expect(remarkOf(seen(good, { changes: [change()] }))).toBeNull();
    expect(remarkOf(seen(new History()))).toBeNull();
  });

  it("names the change right after which the loss jumped", () => {
    expect(remarkOf(seen(jumping, { changes: [change()] }))).toEqual({
      key: "remark.spike",
      values: { change: "learning rate 3" },
    });
  });

  it("does not blame a change that did not do it", () => {
    expect(remarkOf(seen(jumping))).toBeNull();
    expect(remarkOf(seen(jumping, { changes: [change({ step: 190 })] }))).toBeNull();
    expect(remarkOf(seen(jumping, { changes: [change({ sameLoss: false })] }))).toBeNull();
    const rough = run((step) => ({ train_loss: step % 7 === 0 ? 2 : 0.1 }));
    expect(remarkOf(seen(rough, { changes: [change()] }))).toBeNull();
  });

  it("says that it learns by heart, and since when", () => {
    const parting = run((step) => ({
      train_loss: falling(step),
      test_loss: step < 60 ? falling(step) : falling(60) + (step - 60) / 400,
    }));
    const remark = remarkOf(seen(parting));
    expect(remark?.key).toBe("remark.overfitting");
    expect(remark?.values.epoch).toBeGreaterThanOrEqual(4);
    expect(remark?.values.epoch).toBeLessThanOrEqual(8);
    // Other points: what was before does not count.
    expect(remarkOf(seen(parting, { changes: [change({ step: 190, samePoints: false })] }))).toBeNull();
  });

  it("says how accuracy can sink while the loss sinks", () => {
    const surer = run((step) => ({ train_loss: falling(step), train_accuracy: step < 120 ? 0.95 : 0.9 }));
    expect(remarkOf(seen(surer))?.key).toBe("remark.less_accurate");
  });

  it("says why the test score is empty", () => {
    expect(remarkOf(seen(good, { testPoints: 0 }))?.key).toBe("remark.no_test");
  });

  it("says why the map has one colour, but not what a banner says", () => {
    expect(remarkOf(seen(good, { silentOutput: true }))?.key).toBe("remark.uniform");
    expect(remarkOf(seen(good, { silentOutput: true, troubled: true }))).toBeNull();
  });
});

describe("what is shown of them", () => {
  const remark = (key: Remark["key"]): Remark => ({ key, values: {} });

  it("never flickers", () => {
    const steady = new Steady();
    const shown: (string | null)[] = [];
    for (let now = 0; now < 60_000; now += 100) {
      const on = Math.floor(now / 500) % 2 === 0;
      shown.push(steady.at(now, () => (on ? remark("remark.no_test") : null))?.key ?? null);
    }
    const turns = shown.filter((key, i) => i > 0 && key !== shown[i - 1]).length;
    expect(turns).toBeLessThanOrEqual(60 / 8);
  });

  it("stays long enough to be read, and then goes", () => {
    const steady = new Steady();
    const spike = () => remark("remark.spike");
    expect(steady.at(0, spike)).toBeNull();
    expect(steady.at(1000, spike)?.key).toBe("remark.spike");
    expect(steady.at(3000, () => null)?.key).toBe("remark.spike");
    expect(steady.at(8500, () => null)?.key).toBe("remark.spike");
    expect(steady.at(9600, () => null)).toBeNull();
  });
});
