import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { FormulaTree } from "../types";
import { evaluate, FUNCTIONS } from "./evaluate";
import { BOUND, EXTENT } from "./preview";

interface Golden {
  extent: number;
  bound: number;
  places: number[][];
  formulas: { text: string; tree: FormulaTree; values: (number | string)[] }[];
}
const WORDS: Record<string, number> = {
  nan: Number.NaN,
  inf: Number.POSITIVE_INFINITY,
  "-inf": Number.NEGATIVE_INFINITY,
};
const path = new URL("../../../tests/golden/formulas.json", import.meta.url);
const { extent, bound, places, formulas }: Golden = JSON.parse(readFileSync(path, "utf8"));

test.each(formulas)("$text is here what it is on the server", ({ tree, values }) => {
  places.forEach((place, index) => {
    const found = evaluate(tree, place);
    const value = values[index];
    const expected = typeof value === "string" ? WORDS[value] : value;
    if (Number.isFinite(expected))
      expect(Math.abs(found - expected)).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(expected)));
    else expect(found).toBe(expected);
  });
});

test("every function is in the golden file", () => {
  const named = formulas.map(({ text }) => text);
  for (const name of FUNCTIONS) expect(named.some((text) => text.startsWith(`${name}(`))).toBe(true);
});

test("the square and the bound are the server's", () => {
  expect([EXTENT, BOUND]).toEqual([extent, bound]);
});
