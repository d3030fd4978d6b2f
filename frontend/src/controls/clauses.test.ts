import { expect, it } from "vitest";
import { clauses } from "./clauses";

it("puts each clause on a line", () => {
  expect(clauses(String.raw`v \leftarrow \beta v + g,\quad w \leftarrow w - \eta v`)).toEqual([
    String.raw`v \leftarrow \beta v + g`,
    String.raw`w \leftarrow w - \eta v`,
  ]);
});

it("cuts neither braces nor environments", () => {
  const cases = String.raw`\begin{cases} a,\quad b \\ {c,\quad d} \end{cases}`;
  expect(clauses(cases)).toEqual([cases]);
});

it("leaves a short formula alone", () => {
  expect(clauses("f(z) = z")).toEqual(["f(z) = z"]);
});
