import { expect, test } from "vitest";
import type { FormulaTree } from "../types";
import { valueAt } from "../wire";
import { lineOf, mapOf } from "./preview";

const x = (number: number): FormulaTree => ({ kind: "input", number });
const call = (name: "log" | "add", ...of: FormulaTree[]): FormulaTree => ({ kind: "call", name, of });

test("a map has x1 to the right, x2 upwards, and other inputs where they are held", () => {
  const { map, missing } = mapOf(call("add", x(1), x(3)), [10]);
  expect(missing).toBe(0);
  expect(map.lo).toBeCloseTo(10 - 6, 0);
  expect(valueAt(map, map.size - 1)).toBeCloseTo(10 + 6, 0);
  const upwards = mapOf(x(2), []).map;
  expect(upwards.bytes[0]).toBe(255);
  expect(upwards.bytes[upwards.bytes.length - 1]).toBe(0);
});

test("where a formula has no value it is 0, and by how much is told", () => {
  const { map, missing } = mapOf(call("log", x(1)), []);
  expect(missing).toBe(0.5);
  expect(valueAt(map, 0)).toBeCloseTo(0, 1);
});

test("a line has a gap where there is no value, and room for one that is level", () => {
  expect(lineOf(call("log", x(1)), 100).path.startsWith("M50.8")).toBe(true);
  expect(lineOf({ kind: "number", value: 3 }, 100)).toMatchObject({ lo: 2, hi: 4 });
});
