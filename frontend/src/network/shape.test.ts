import { describe, expect, it } from "vitest";
import type { Layer } from "../types";
import type { Frame } from "../wire";
import { fits } from "./painter";
import {
  fresh,
  parameters,
  pretty,
  short,
  sourcesOf,
  toggled,
  withFeature,
  withLayer,
  withLayerInStep,
  withNewLayer,
  withoutLayer,
} from "./shape";

const layer = (width: number, fields: Partial<Layer> = {}): Layer => ({
  width,
  activation: { kind: "relu" },
  normalization: { kind: "none" },
  dropout: 0,
  shortcut: { kind: "none" },
  frozen: false,
  frozen_neurons: [],
  frozen_edges: [],
  ...fields,
});

describe("changing the layers", () => {
  it("leaves what it was given alone", () => {
    const hidden = [layer(4), layer(2)];
    const before = JSON.stringify(hidden);
    withLayer(hidden, 0, () => ({ width: 5 }));
    withNewLayer(hidden, 1, layer(4));
    withoutLayer(hidden, 0);
    expect(JSON.stringify(hidden)).toBe(before);
  });

  it("adds up presses that come before the server has answered", () => {
    const wider = (hidden: Layer[]) => withLayer(hidden, 1, ({ width }) => ({ width: width + 1 }));
    expect(wider(wider(wider([layer(4), layer(2)]))).map(({ width }) => width)).toEqual([4, 5]);
  });

  it("inserts a layer as wide as the one before it, without its normalisation and dropout", () => {
    const hidden = [
      layer(6, { normalization: { kind: "batchnorm" }, dropout: 0.4, activation: { kind: "elu", alpha: 2 } }),
      layer(2),
    ];
    const [, fresh, last] = withNewLayer(hidden, 1, layer(4));
    expect(fresh).toEqual({
      width: 6,
      activation: { kind: "elu", alpha: 2 },
      normalization: { kind: "none" },
      dropout: 0,
      shortcut: { kind: "none" },
      frozen: false,
      frozen_neurons: [],
      frozen_edges: [],
    });
    expect(last).toBe(hidden[1]);
  });

  it("can insert at the very front and into nothing", () => {
    expect(withNewLayer([layer(3)], 0, layer(4)).map(({ width }) => width)).toEqual([3, 3]);
    expect(withNewLayer([], 0, layer(4)).length).toBe(1);
    expect(withNewLayer([], 0, layer(7))[0].width).toBe(7);
  });
});

describe("formulas as features", () => {
  it("come last, and once", () => {
    expect(withFeature(["x1", "x2"], "abs(x2)")).toEqual(["x1", "x2", "abs(x2)"]);
    expect(withFeature(["x1", "x2"], "x2")).toEqual(["x1", "x2"]);
  });

  it("are offered where they are not in use, the own ones first, and of inputs that there are", () => {
    expect(fresh(["tan(x1)", "abs(x2)"], ["abs(x2)"], 2).slice(0, 2)).toEqual(["tan(x1)", "sin(3*x1)"]);
    expect(fresh([], [], 1).join()).not.toContain("x2");
  });

  it("are short on their tiles", () => {
    expect(pretty("exp(-x1^2-x2^2)")).toBe("exp(-x₁²-x₂²)");
    expect(pretty("2*3*x1^2.5")).toBe("2·3x₁^2.5");
  });
});

describe("layers that add what comes in", () => {
  const residual = { shortcut: { kind: "residual" } };
  const widths = (hidden: Layer[]) => hidden.map(({ width }) => width);
  const wider = ({ width }: Layer) => ({ width: width + 1 });

  it("get and lose neurons together", () => {
    const hidden = [layer(3), layer(4), layer(4, residual), layer(4, residual), layer(2)];
    for (const at of [1, 2, 3])
      expect(widths(withLayerInStep(hidden, at, wider, 2))).toEqual([3, 5, 5, 5, 2]);
    expect(widths(withLayerInStep(hidden, 4, wider, 2))).toEqual([3, 4, 4, 4, 3]);
  });

  it("become as wide as what comes in, and take those behind them along", () => {
    const hidden = [layer(4), layer(2), layer(2, residual)];
    expect(widths(withLayerInStep(hidden, 1, () => residual, 2))).toEqual([4, 4, 4]);
    expect(widths(withLayerInStep(hidden, 0, () => residual, 3))).toEqual([3, 2, 2]);
  });

  it("are joined by one that is inserted between them", () => {
    const hidden = [layer(4), layer(4, residual), layer(2)];
    const kinds = (at: number) => withNewLayer(hidden, at, layer(4)).map(({ shortcut }) => shortcut.kind);
    expect(kinds(0)).toEqual(["none", "none", "residual", "none"]);
    expect(kinds(1)).toEqual(["none", "residual", "residual", "none"]);
    expect(kinds(2)).toEqual(["none", "residual", "residual", "none"]);
    expect(kinds(3)).toEqual(["none", "residual", "none", "none"]);
  });
});

it("knows what a dense layer sees, in the order of its weights", () => {
  const sources = (layer: number, kind: string) => sourcesOf(layer, 2, [3, 1, 1], ["none", "none", kind]);
  expect(sources(2, "none")).toEqual([{ layer: 1, unit: 0 }]);
  expect(sources(2, "dense").map(({ layer, unit }) => `${layer}.${unit}`)).toEqual([
    ...["-1.0", "-1.1", "0.0", "0.1", "0.2", "1.0"],
  ]);
});

describe("switching features", () => {
  const all = ["x1", "x2", "x1^2", "sin(x1)"];

  it("keeps the order in which they are on offer", () => {
    expect(toggled(["x1", "sin(x1)"], "x2", all)).toEqual(["x1", "x2", "sin(x1)"]);
    expect(toggled(["x1", "x2"], "x1", all)).toEqual(["x2"]);
  });

  it("keeps the last one", () => {
    expect(toggled(["x2"], "x2", all)).toEqual(["x2"]);
  });
});

it("writes names and numbers as people do", () => {
  expect(["x1", "x12", "x1^2", "x1*x2", "sin(x2)"].map(pretty)).toEqual([
    "x₁",
    "x₁₂",
    "x₁²",
    "x₁x₂",
    "sin(x₂)",
  ]);
  expect([0.1234, -1.234, 12.34, -123.4, Number.NaN].map(short)).toEqual([
    "0.123",
    "−1.23",
    "12.3",
    "−123",
    "–",
  ]);
});

it("counts weights and biases", () => {
  expect(parameters([2, 4, 2], [4, 2, 1])).toBe(2 * 4 + 4 + 4 * 2 + 2 + 2 + 1);
  expect(parameters([3], [5])).toBe(20);
});

describe("a frame and the drawn network", () => {
  const layers = [
    { inputs: 2, width: 4 },
    { inputs: 4, width: 1 },
  ];
  const frame = { layers } as Frame;

  it("fit only when inputs, depth and every width agree", () => {
    expect(fits(frame, [2, 4], [4, 1])).toBe(true);
    expect(fits(frame, [3, 4], [4, 1])).toBe(false);
    expect(fits(frame, [2, 6], [4, 1])).toBe(false);
    expect(fits(frame, [2, 5], [5, 1])).toBe(false);
    expect(fits(frame, [2], [4])).toBe(false);
    expect(fits(frame, [2, 4, 4], [4, 4, 1])).toBe(false);
  });
});
