import { describe, expect, it, vi } from "vitest";
import { History } from "../history";
import { binned } from "./bins";
import { logSplits } from "./chart";
import { apartFrom, columns, hiddenNorm, linesOf, OUTPUT_NORM, overlaid } from "./columns";
import { keep, kept, pinned } from "./ghost";
import { counted, placed, strokeOf } from "./marks";
import { smoothed } from "./smoothing";

describe("smoothing", () => {
  it("leaves a constant alone from the first value on, which is what the bias correction is for", () => {
    for (const value of smoothed([3, 3, 3, 3], 0.9)) expect(value).toBeCloseTo(3, 12);
  });

  it("does nothing at weight 0", () => {
    expect(smoothed([1, 5, 2], 0)).toEqual([1, 5, 2]);
  });

  it("keeps gaps as gaps and goes on after them", () => {
    const [first, gap, last] = smoothed([2, Number.NaN, 2], 0.5);
    expect(first).toBe(2);
    expect(gap).toBeNaN();
    expect(last).toBe(2);
  });
});

describe("marks", () => {
  const widthOf = (text: string) => text.length * 6;
  const place = (marks: { at: number; label: string }[], width = 300) =>
    placed(marks, (at) => at, width, widthOf);

  it("never writes one label over another, and drops what fits nowhere but not its line", () => {
    const labels = [
      "lr 0.1",
      "optimizer: adam",
      "layer 2: relu",
      "batchnorm on",
      "+1 neuron",
      "l2 0.01",
      "seed 3",
    ];
    const out = place(labels.map((label, i) => ({ at: 100 + 10 * i, label })));
    expect(out).toHaveLength(labels.length);
    const spans = out.flatMap(({ text, left, flipped, row }) => {
      if (text === null) return [];
      const wide = widthOf(text);
      return [{ row, from: flipped ? left - wide : left, to: flipped ? left : left + wide }];
    });
    expect(spans.length).toBeGreaterThan(1);
    expect(spans.length).toBeLessThan(labels.length);
    for (const a of spans) {
      for (const b of spans) {
        if (a !== b && a.row === b.row) expect(a.to <= b.from || b.to <= a.from).toBe(true);
      }
    }
  });

  it("writes the newest change first, where there is no room for all", () => {
    const out = place(
      [...Array(12).keys()].map((i) => ({ at: 100 + 8 * i, label: `a change, number ${i}` })),
    );
    expect(out.at(-1)?.text).toBe("a change, number 11");
  });

  it("makes one mark of changes at one place, with every label", () => {
    const [only] = place([
      { at: 50, label: "points" },
      { at: 51, label: "points" },
      { at: 52, label: "lr 0.1" },
    ]);
    expect(only.labels).toEqual(["points", "points", "lr 0.1"]);
    expect(only.text).toBe("points ×2, lr 0.1");
  });

  it("makes one mark of a stroke, which is many changes of one kind", () => {
    const stroke = [50, 60, 70, 80].map((at) => ({ at, label: `${at} points`, stroke: "points" }));
    expect(place([...stroke, { at: 75, label: "lr 0.1" }]).map((mark) => mark.text)).toContain("lr 0.1");
    expect(place(stroke)).toMatchObject([{ left: 50, text: "80 points", labels: ["80 points"] }]);
  });

  it("writes left of the line where the plot ends", () => {
    expect(place([{ at: 298, label: "lr 0.1" }])[0]).toMatchObject({ flipped: true, text: "lr 0.1" });
    expect(place([{ at: 10, label: "lr 0.1" }])[0].flipped).toBe(false);
  });

  it("leaves out what is not on the plot", () => {
    expect(
      place([
        { at: -20, label: "a" },
        { at: 400, label: "b" },
      ]),
    ).toEqual([]);
  });

  it("makes one mark of a drag of a slider, whoever looks", () => {
    const rate = (value: number) => [
      {
        code: "label.field_number",
        text: `learning rate ${value}`,
        values: { field: { code: "field.lr", text: "learning rate", values: {} }, value },
      },
    ];
    const drag = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => ({
      at: 50 + 12 * n,
      label: `learning rate 0.0${n}`,
      stroke: strokeOf(rate(n / 100)),
    }));
    expect(place(drag).map((mark) => mark.text)).toEqual(["learning rate 0.09"]);
    const batch = [{ code: "label.field_number", text: "", values: { field: "batch size", value: 3 } }];
    expect(strokeOf(batch)).not.toBe(strokeOf(rate(0.1)));
    expect(
      strokeOf([{ code: "label.neurons_added", text: "+1 neuron", values: { count: 1 } }]),
    ).toBeUndefined();
  });

  it("counts what repeats", () => {
    expect(counted(["a", "b", "a"])).toBe("a ×2, b");
  });
});

/** Rows of one moment each. */
const moments = (mean: number[]) => ({ mean, low: [...mean], high: [...mean] });
const of = (...metrics: string[]): { metric: string }[] => metrics.map((metric) => ({ metric }));

describe("columns", () => {
  const history = new History();
  history.step = [0, 1, 2];
  history.epoch = [0, 0.5, 1];
  history.series.set("train_loss", moments([1, 0.5, 0.25]));
  history.series.set("test_loss", moments([Number.NaN, Number.NaN, Number.NaN]));
  history.series.set("grad_norm.0", moments([1, 2, 3]));

  it("has gaps where there is no test set", () => {
    expect(columns(history, of("train_loss", "test_loss"), "epoch", 0)).toEqual([
      [0, 0.5, 1],
      [1, 0.5, 0.25],
      [null, null, null],
    ]);
  });

  it("never goes back on its x axis, for nothing can be read off a line that does", () => {
    const back = new History();
    back.step = [0, 1, 2, 3];
    back.epoch = [0, 1.4, 1.1, 1.5];
    back.series.set("train_loss", moments([4, 3, 2, 1]));
    expect(columns(back, of("train_loss"), "epoch", 0)[0]).toEqual([0, 1.4, 1.4, 1.5]);
  });

  it("keeps the raw line behind the smoothed one", () => {
    const out = columns(history, [{ metric: "train_loss", role: "raw" }, ...of("train_loss")], "step", 0.5);
    expect(out[0]).toEqual([0, 1, 2]);
    expect(out[1]).toEqual([1, 0.5, 0.25]);
    expect(out[2][2]).toBeGreaterThan(0.25);
  });

  it("has no value for an unknown name, and says so with gaps", () => {
    const out = columns(history, of("test_r2"), "step", 0);
    expect(out[1]).toEqual([null, null, null]);
  });

  it("has a band from least to greatest beside the mean", () => {
    const merged = new History();
    merged.step = [0, 4];
    merged.epoch = [0, 1];
    merged.series.set("train_loss", { mean: [1, 0.5], low: [1, 0.05], high: [1, 0.84] });
    const lines = linesOf([{ metric: "train_loss", label: "Train", colour: "rgb(0 0 0)" }], 0);
    expect(lines.map(({ role }) => role)).toEqual(["low", "high", undefined]);
    expect(columns(merged, lines, "step", 0).slice(1)).toEqual([
      [1, 0.05],
      [1, 0.84],
      [1, 0.5],
    ]);
  });

  it("never draws a spike as nothing that was drawn between two samples", () => {
    const drawn = new History();
    drawn.add(1, 0.25, { train_loss: 0.84 });
    drawn.add(3, 0.75, { train_loss: 0.01, test_loss: null });
    const run = new History();
    run.step = [0, 2, 4];
    run.epoch = [0, 0.5, 1];
    run.series.set("train_loss", moments([0.1, 0.06, 0.05]));
    const band = [
      { metric: "train_loss", role: "low" },
      { metric: "train_loss", role: "high" },
    ] as const;
    expect(columns(run, [...band], "step", 0, null, drawn).slice(1)).toEqual([
      [0.1, 0.06, 0.01],
      [0.1, 0.84, 0.05],
    ]);
    for (let step = 4; step < 400; step++) drawn.add(step, step / 4, { train_loss: 0.05 });
    drawn.thin(4);
    expect(columns(run, [...band], "step", 0, null, drawn)[2][1]).toBe(0.84);
  });

  it("ends with what is known of now until the thinned history has caught up", () => {
    const now = (step: number) => ({
      step,
      epoch: step / 2,
      metrics: { train_loss: 0.2, test_loss: null, "grad_norm.0": 5, "grad_norm.output": 7 },
    });
    expect(columns(history, of("train_loss", "test_loss"), "epoch", 0, now(3))).toEqual([
      [0, 0.5, 1, 1.5],
      [1, 0.5, 0.25, 0.2],
      [null, null, null, null],
    ]);
    expect(columns(history, of(hiddenNorm(0), OUTPUT_NORM), "step", 0, now(3)).map((one) => one[3])).toEqual([
      3, 5, 7,
    ]);
    expect(columns(history, of("train_loss"), "epoch", 0, now(2))[0]).toEqual([0, 0.5, 1]);
  });

  it("has the norm of the output layer by its name, however many layers there were", () => {
    const grown = new History();
    grown.step = [0, 1, 2];
    grown.epoch = [0, 1, 2];
    grown.series.set("grad_norm.0", moments([1, 1, 1]));
    grown.series.set("grad_norm.1", moments([Number.NaN, 2, Number.NaN]));
    grown.series.set("grad_norm.output", moments([9, 9, 9]));
    expect(columns(grown, of(hiddenNorm(0), hiddenNorm(1), OUTPUT_NORM), "step", 0).slice(1)).toEqual([
      [1, 1, 1],
      [null, 2, null],
      [9, 9, 9],
    ]);
  });
});

describe("bins", () => {
  const lines = linesOf([{ metric: "train_loss", label: "Train", colour: "rgb(0 0 0)" }], 0);
  const xs = Array.from({ length: 1000 }, (_, x) => x);
  const noise = xs.map((x) => (x % 2 ? 0.4 : 0.6));
  const spike = noise.map((y, x) => (x === 501 ? 9 : y));

  it.each([false, true])("make a band of what was a block, and lose no spike (logarithmic: %s)", (logX) => {
    const [x, low, high, mean] = binned([xs, noise, spike, noise], lines, 1000, 200, logX);
    expect(x.length).toBeLessThan(160);
    expect([x[0], x.at(-1)]).toEqual([0, 999]);
    expect(Math.max(...high.map((y) => y ?? 0))).toBe(9);
    expect(low.at(-2)).toBe(0.4);
    expect(mean.at(-2)).toBeCloseTo(0.5, 1);
  });

  it("stay where they are while the axis grows", () => {
    const [x] = binned([xs, noise, spike, noise], lines, 1000, 200, false);
    const [later] = binned([xs, noise, spike, noise], lines, 1200, 200, false);
    expect(later).toEqual(x);
  });
});

describe("a logarithmic axis", () => {
  it("has powers of ten", () => {
    expect(logSplits(0.5, 2000)).toEqual([1, 10, 100, 1000]);
  });
});

describe("the ghost", () => {
  it("is small, and has the beginning and the end of a long run", () => {
    const long = new History();
    for (let step = 0; step < 3000; step++) long.add(step, step / 25, { train_loss: 1 / (step + 1) });
    const ghost = pinned(long, "Circle, pinned at epoch 120");
    expect(ghost.step.length).toBeLessThan(500);
    expect(ghost.step.slice(0, 64)).toEqual(long.step.slice(0, 64));
    expect(ghost.step.at(-1)).toBe(2999);
    expect(ghost.series.train_loss[1]).toBe(0.5);
    expect(ghost.series.train_loss).toHaveLength(ghost.step.length);
    long.add(3000, 120, { train_loss: 9 });
    expect(ghost.step.at(-1)).toBe(2999);
  });

  it("is kept over a reload, until it is taken away", () => {
    const items = new Map<string, string>();
    vi.stubGlobal("sessionStorage", {
      getItem: (name: string) => items.get(name) ?? null,
      setItem: (name: string, value: string) => items.set(name, value),
      removeItem: (name: string) => items.delete(name),
    });
    const ghost = pinned(new History(), "Circle");
    keep(ghost);
    expect(kept()).toEqual(ghost);
    keep(null);
    expect(kept()).toBeNull();
    vi.unstubAllGlobals();
  });
});

describe("curves of several runs", () => {
  it("lie over one axis, each straight between its own points and nowhere else", () => {
    const [xs, long, short] = overlaid([
      { xs: [0, 2, 4], ys: [1, 0.5, 0.3] },
      { xs: [1, 3], ys: [4, 2] },
    ]);
    expect(xs).toEqual([0, 1, 2, 3, 4]);
    expect(long).toEqual([1, 0.75, 0.5, 0.4, 0.3]);
    expect(short).toEqual([null, 4, 3, 2, null]);
  });

  it("are told as their differences to the first, where both have been measured", () => {
    expect(
      apartFrom(
        [
          [0, 1, 2],
          [1, 0.5, null],
          [1, 1, 3],
        ],
        100,
      ),
    ).toEqual([
      [0, 1, 2],
      [0, 50, null],
    ]);
  });

  it("keep their gaps, and whatever has not been measured is none", () => {
    const [xs, gap, none] = overlaid([
      { xs: [0, 1, 2], ys: [1, null, 3] },
      { xs: [0, 0.5], ys: [] },
    ]);
    expect(xs).toEqual([0, 0.5, 1, 2]);
    expect(gap).toEqual([1, null, null, 3]);
    expect(none).toEqual([null, null, null, null]);
    expect(overlaid([])).toEqual([[]]);
  });
});
