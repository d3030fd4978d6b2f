import { expect, it, vi } from "vitest";
import en from "../../backend/playground/i18n/en.json";
import { arrange } from "./arrangement";
import { panels } from "./panels";

vi.hoisted(() => {
  vi.stubGlobal("document", { querySelector: () => null });
  vi.stubGlobal("location", { href: "https://example.org/" });
});

it("has a name, a title and a place on the grid for every panel", () => {
  const ids = panels.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const { id, title } of panels) {
    expect(id).toMatch(/^[a-z]+$/);
    expect(en).toHaveProperty([title]);
  }
  for (const mode of ["wide", "medium", "narrow", "frame"] as const) {
    expect([...arrange(panels, mode).order].sort()).toEqual([...ids].sort());
  }
});
