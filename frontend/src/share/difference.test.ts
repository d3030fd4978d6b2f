import { expect, test } from "vitest";
import type { Catalogue, Config } from "../types";
import { differenceOf } from "./difference";

const parameter = (name: string, label: string) => ({ name, label, type: "number" });
const catalogue = {
  fields: [
    { ...parameter("optimizer", "Optimizer"), path: "optimizer", type: "component", family: "optimizer" },
    { ...parameter("clip_norm", "Gradient clipping"), path: "clip_norm" },
    { ...parameter("width", "Neurons"), path: "hidden.width" },
    { ...parameter("dropout", "Dropout"), path: "hidden.dropout" },
  ],
  components: {
    optimizer: [
      { kind: "adam", label: "Adam", parameters: [parameter("lr", "Learning rate"), parameter("eps", "ε")] },
      {
        kind: "momentum",
        label: "Momentum",
        parameters: [parameter("lr", "Learning rate"), parameter("beta", "β")],
      },
    ],
    feature: [{ kind: "x1", label: "X₁" }],
  },
} as unknown as Catalogue;

const layer = (width: number) => ({ width, dropout: 0, frozen_neurons: [] });
const config = (more: object) =>
  ({
    version: 2,
    data: { kind: "points", points: [[1, 2, 0]] },
    features: ["x1"],
    hidden: [layer(8)],
    output: { frozen_edges: [] },
    optimizer: { kind: "adam", lr: 0.1, eps: 1e-8 },
    clip_norm: null,
    ...more,
  }) as unknown as Config;

const told = (...configs: Config[]) =>
  differenceOf(configs, catalogue).differing.map(({ label, values }) => [label, ...values]);

test("what two configs share is told apart from where they differ, in words", () => {
  const other = config({ optimizer: { kind: "momentum", lr: 0.1, beta: 0.9 }, clip_norm: 1 });
  expect(told(config({}), other)).toEqual([
    ["Optimizer", "Adam", "Momentum"],
    ["Optimizer · ε", "0.00000001", null],
    ["Optimizer · β", null, "0.9"],
    ["Gradient clipping", "Off", "1"],
  ]);
  const { shared } = differenceOf([config({}), other], catalogue);
  expect(shared.find(({ path }) => path === "optimizer.lr")).toEqual({
    path: "optimizer.lr",
    label: "Optimizer · Learning rate",
    values: ["0.1", "0.1"],
  });
});

test("a layer that only one has is told by what it does, not by all that it does not do", () => {
  const deeper = config({ hidden: [layer(8), layer(4)] });
  expect(told(config({}), deeper, config({}))).toEqual([["Layer 2 · Neurons", null, "4", null]]);
});

test("long lists differ without being written out", () => {
  const other = config({ data: { kind: "points", points: [[1, 2, 1]] } });
  expect(told(config({}), other).map(([, ...values]) => values)).toEqual([["1 entry", "1 entry"]]);
});

test("the same settings differ in nothing", () => {
  expect(told(config({}), config({}))).toEqual([]);
});
