import { describe, expect, it } from "vitest";
import type { Table, Task } from "../types";
import { asData, asFeatures, choiceOf, chosen, others } from "./columns";

const column = (name: string, kind: "number" | "label" = "number") => ({
  name,
  kind,
  labels: kind === "label" ? ["setosa", "virginica"] : [],
  missing: 0,
  slip: null,
});
const table: Table = {
  id: "abc",
  picture: null,
  file: "iris.csv",
  header: true,
  sheets: [],
  sheet: null,
  rows: 150,
  targets: ["species"],
  preview: [],
  columns: [column("width"), column("height"), column("depth"), column("species", "label")],
};
const choice = { x1: "width", x2: "height", target: "species", inputs: ["depth"] };

describe("columns of an uploaded table", () => {
  it("are told by what is learned, after a reload too", () => {
    const task = { input_names: ["width", "height", "depth"], target_name: "species" } as unknown as Task;
    expect(choiceOf(task)).toEqual(choice);
    expect(choiceOf({ ...task, input_names: ["width"] })).toEqual({ ...choice, x2: "", inputs: [] });
  });

  it("swap roles rather than being used twice", () => {
    expect(chosen(table, choice, "x1", "height")).toMatchObject({ x1: "height", x2: "width" });
    expect(chosen(table, choice, "x1", "depth")).toMatchObject({ x1: "depth", inputs: [] });
  });

  it("leave a role to another column of numbers where labels cannot take it", () => {
    expect(chosen(table, choice, "target", "width")).toEqual({
      x1: "depth",
      x2: "height",
      target: "width",
      inputs: [],
    });
  });

  it("may be one input alone", () => {
    const alone = chosen(table, choice, "x2", "");
    expect(alone).toEqual({ x1: "width", x2: "", target: "species", inputs: [] });
    expect(asFeatures(alone)).toEqual(["x1"]);
    expect(chosen(table, alone, "x2", "width")).toMatchObject({ x1: "height", x2: "width" });
  });

  it("offer only the remaining numbers as more inputs, and are sent in the table's order", () => {
    const odd = { x1: "height", x2: "species", target: "depth", inputs: ["width"] };
    expect(others(table, odd)).toEqual(["width"]);
    expect(asData(table, { x1: "depth", x2: "height", target: "species", inputs: ["width"] }, 0.7)).toEqual({
      kind: "csv",
      id: "abc",
      x1: "depth",
      x2: "height",
      target: "species",
      inputs: ["width"],
      train_fraction: 0.7,
    });
  });

  it("are all features", () => {
    expect(asFeatures({ x1: "a", x2: "b", target: "t", inputs: ["c", "d"] })).toEqual([
      "x1",
      "x2",
      "x3",
      "x4",
    ]);
  });
});
