import { readdirSync, readFileSync } from "node:fs";
import katex from "katex";
import { describe, expect, it } from "vitest";
import { t, tMaybe } from "../i18n";
import { clauses } from "./clauses";
import { formulaOf, TERMS } from "./terms";

describe("the terms", () => {
  it.each(TERMS)("explains %s: a title, plain words, and more", (name) => {
    for (const part of ["", ".more"])
      expect(tMaybe(`term.${name}${part}`, "").length, name + part).toBeGreaterThan(60);
    expect(tMaybe(`term.${name}.title`, "")).not.toBe("");
  });

  it.each(TERMS)("has a formula for %s that can be set", (name) => {
    for (const line of clauses(formulaOf(name) ?? "x"))
      expect(() => katex.renderToString(line, { throwOnError: true })).not.toThrow();
  });

  it("are all shown somewhere on the page", () => {
    const source = files("src").join("\n");
    for (const name of TERMS) expect(source, name).toMatch(new RegExp(`["{ ]${name}["]`));
    expect(t("term.seed.title")).toBe("Seed");
  });
});

function files(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return files(path);
    return /\.(svelte|ts)$/.test(entry.name) && !/schema|test/.test(entry.name)
      ? [readFileSync(path, "utf8")]
      : [];
  });
}
