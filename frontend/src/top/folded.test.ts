import { describe, expect, it } from "vitest";
import type { Catalogue, Config, FieldOfConfig, Kind, Parameter, Task } from "../types";
import { differs, firstOf, foldedOf } from "./folded";

const parameter = (name: string, more: Partial<Parameter> = {}) =>
  ({ name, label: name, type: "number", first: null, default: 0, ...more }) as Parameter;
const field = (path: string, more: Partial<FieldOfConfig> = {}) =>
  ({ ...parameter(path.split(".").at(-1) ?? path), path, ...more }) as FieldOfConfig;
const kind = (name: string, more: Partial<Kind> = {}) =>
  ({ kind: name, parameters: [], ...more }) as unknown as Kind;

const config = {
  optimizer: { kind: "adam", lr: 0.03 },
  loss: { kind: "bce" },
  l1: 0,
  seed: 0,
} as unknown as Config;
const catalogue = {
  fields: [
    field("data", { type: "component", family: "data" }),
    field("loss", { type: "component", family: "loss" }),
    field("optimizer", { type: "component", family: "optimizer", first: 2 }),
    field("l1", { first: 4 }),
    field("seed"),
    field("hidden.activation", { type: "component", family: "activation", first: 3 }),
    field("hidden.dropout"),
  ],
  components: {
    optimizer: [kind("adam", { parameters: [parameter("lr", { first: 1 }), parameter("beta")] })],
    loss: [
      kind("bce", { tasks: ["binary"] }),
      kind("hinge", { tasks: ["binary"], parameters: [parameter("margin", { default: 1 })] }),
      kind("mse", { tasks: ["binary", "regression"] }),
    ],
  },
  default: config,
} as unknown as Catalogue;
const task = (kind: string) => ({ data_kind: kind }) as Task;

describe("the settings of the bar", () => {
  it("come in the order of the catalogue's description, a parameter of the optimizer among them", () => {
    expect(firstOf(catalogue, config).map(({ path }) => path)).toEqual([
      "optimizer.lr",
      "optimizer",
      "hidden.activation",
      "l1",
    ]);
  });

  it("leave the rest to be folded, but what data and network show", () => {
    expect(foldedOf(catalogue).map(({ path }) => path)).toEqual(["loss", "seed"]);
  });

  it("tell what differs from the default", () => {
    const [, loss, , , seed] = catalogue.fields;
    expect(differs(catalogue, seed, 0, null)).toBe(false);
    expect(differs(catalogue, seed, 7, null)).toBe(true);
    expect(differs(catalogue, loss, { kind: "bce" }, task("binary"))).toBe(false);
    expect(differs(catalogue, loss, { kind: "mse" }, task("binary"))).toBe(true);
    expect(differs(catalogue, loss, { kind: "hinge", margin: 2 }, task("binary"))).toBe(true);
  });

  it("count no loss that the data ask for", () => {
    expect(differs(catalogue, catalogue.fields[1], { kind: "mse" }, task("regression"))).toBe(false);
  });
});
