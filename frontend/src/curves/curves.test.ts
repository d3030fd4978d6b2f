import { describe, expect, it } from "vitest";
import { History } from "../history";
import { columns, hiddenNorm, OUTPUT_NORM } from "./columns";
import { counted, placed } from "./marks";
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

  it("counts what repeats", () => {
    expect(counted(["a", "b", "a"])).toBe("a ×2, b");
  });
});

describe("columns", () => {
  const history = new History();
  history.step = [0, 1, 2];
  history.epoch = [0, 0.5, 1];
  history.series.set("train_loss", [1, 0.5, 0.25]);
  history.series.set("test_loss", [Number.NaN, Number.NaN, Number.NaN]);
  history.series.set("grad_norm.0", [1, 2, 3]);

  it("has gaps where there is no test set", () => {
    expect(columns(history, ["train_loss", "test_loss"], "epoch", 0)).toEqual([
      [0, 0.5, 1],
      [1, 0.5, 0.25],
      [null, null, null],
    ]);
  });

  it("never goes back on its x axis, for nothing can be read off a line that does", () => {
    const back = new History();
    back.step = [0, 1, 2, 3];
    back.epoch = [0, 1.4, 1.1, 1.5];
    back.series.set("train_loss", [4, 3, 2, 1]);
    expect(columns(back, ["train_loss"], "epoch", 0)[0]).toEqual([0, 1.4, 1.4, 1.5]);
  });

  it("keeps the raw line behind the smoothed one", () => {
    const out = columns(history, ["train_loss"], "step", 0.5);
    expect(out[0]).toEqual([0, 1, 2]);
    expect(out[1]).toEqual([1, 0.5, 0.25]);
    expect(out[2][2]).toBeGreaterThan(0.25);
  });

  it("has no value for an unknown name, and says so with gaps", () => {
    const out = columns(history, ["test_r2"], "step", 0);
    expect(out[1]).toEqual([null, null, null]);
  });

  it("ends with what is known of now until the thinned history has caught up", () => {
    const now = (step: number) => ({
      step,
      epoch: step / 2,
      metrics: { train_loss: 0.2, test_loss: null, "grad_norm.0": 5, "grad_norm.output": 7 },
    });
    expect(columns(history, ["train_loss", "test_loss"], "epoch", 0, now(3))).toEqual([
      [0, 0.5, 1, 1.5],
      [1, 0.5, 0.25, 0.2],
      [null, null, null, null],
    ]);
    expect(columns(history, [hiddenNorm(0), OUTPUT_NORM], "step", 0, now(3)).map((one) => one[3])).toEqual([
      3, 5, 7,
    ]);
    expect(columns(history, ["train_loss"], "epoch", 0, now(2))[0]).toEqual([0, 0.5, 1]);
  });

  it("has the norm of the output layer by its name, however many layers there were", () => {
    const grown = new History();
    grown.step = [0, 1, 2];
    grown.epoch = [0, 1, 2];
    grown.series.set("grad_norm.0", [1, 1, 1]);
    grown.series.set("grad_norm.1", [Number.NaN, 2, Number.NaN]);
    grown.series.set("grad_norm.output", [9, 9, 9]);
    expect(columns(grown, [hiddenNorm(0), hiddenNorm(1), OUTPUT_NORM], "step", 0).slice(1)).toEqual([
      [1, 1, 1],
      [null, 2, null],
      [9, 9, 9],
    ]);
  });
});
