import { describe, expect, it } from "vitest";
import type { UploadedTable } from "../types";
import { asData, asFeatures, chosen, firstChoice, others } from "./columns";

const table: UploadedTable = {
  id: "abc",
  rows: 150,
  task: "multiclass",
  classes: 3,
  dropped: 0,
  chosen: {},
  preview: [],
  columns: [
    { name: "width", kind: "number", labels: [] },
    { name: "height", kind: "number", labels: [] },
    { name: "depth", kind: "number", labels: [] },
    { name: "species", kind: "label", labels: ["setosa", "virginica"] },
  ],
};

describe("columns of an uploaded table", () => {
  it("guesses the labels as the target and the numbers as inputs", () => {
    expect(firstChoice(table)).toEqual({ x1: "width", x2: "height", target: "species", inputs: ["depth"] });
  });

  it("prefers what the server chose", () => {
    const chosen = { x1: "depth", x2: "width", target: "species", inputs: ["height"] };
    expect(firstChoice({ ...table, chosen })).toEqual(chosen);
  });

  it("prefers a column that is called target", () => {
    const columns = [{ name: "Target", kind: "number" as const, labels: [] }, ...table.columns];
    expect(firstChoice({ ...table, columns }).target).toBe("Target");
  });

  it("swaps roles rather than using a column twice", () => {
    const choice = { x1: "width", x2: "height", target: "species", inputs: ["depth"] };
    expect(chosen(choice, "x1", "height")).toMatchObject({ x1: "height", x2: "width" });
    expect(chosen(choice, "x1", "depth")).toMatchObject({ x1: "depth", inputs: [] });
  });

  it("offers only the remaining numbers as more inputs, and sends them in the table's order", () => {
    const choice = { x1: "height", x2: "species", target: "depth", inputs: ["width"] };
    expect(others(table, choice)).toEqual(["width"]);
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

  it("uses every chosen column as a feature", () => {
    expect(asFeatures({ x1: "a", x2: "b", target: "t", inputs: ["c", "d"] })).toEqual([
      "x1",
      "x2",
      "x3",
      "x4",
    ]);
  });
});
