import { expect, it } from "vitest";
import { fieldOf, kindOf, parameterOf, trainFractionOf } from "./catalogue";
import type { Catalogue } from "./types";

const catalogue = {
  components: { data: [{ kind: "points", parameters: [{ name: "train_fraction", default: 0.4 }] }] },
  fields: [{ path: "hidden.width", maximum: 9 }],
} as unknown as Catalogue;

it("knows kinds, their parameters and the fields of the config", () => {
  expect(parameterOf(kindOf(catalogue, "data", "points"), "train_fraction")?.default).toBe(0.4);
  expect(kindOf(catalogue, "loss", "mse")).toBeUndefined();
  expect(fieldOf(catalogue, "hidden.width")?.maximum).toBe(9);
});

it("keeps the share of training points, and else takes the default of the new kind", () => {
  expect(trainFractionOf(catalogue, { kind: "circle", train_fraction: 0.7 }, "points")).toBe(0.7);
  expect(trainFractionOf(catalogue, { kind: "circle" }, "points")).toBe(0.4);
});
