import { expect, it } from "vitest";
import type { Catalogue, FieldOfConfig, Layer } from "../types";
import {
  choosing,
  headerRows,
  inHeader,
  inWords,
  isPartial,
  optionsOf,
  settingsOf,
  shortly,
} from "./settings";

const field = (name: string, more: Partial<FieldOfConfig>) =>
  ({ name, path: `hidden.${name}`, label: name[0].toUpperCase() + name.slice(1), ...more }) as FieldOfConfig;
const kinds = (...labels: string[]) =>
  labels.map((label) => ({ kind: label.toLowerCase(), label, parameters: [] }));

const catalogue = {
  components: { shape: kinds("Round", "Square"), filter: kinds("None", "Low pass") },
  fields: [
    field("width", { type: "integer" }),
    field("shape", { type: "component", family: "shape" }),
    field("filter", { type: "component", family: "filter" }),
    field("noise", { type: "number", minimum: 0, maximum: 0.5 }),
    field("frozen", { type: "boolean" }),
    field("gain", { type: "number", minimum: 0, maximum: 100 }),
  ],
} as unknown as Catalogue;
const layer = {
  width: 4,
  shape: { kind: "round" },
  filter: { kind: "none" },
  noise: 0.15,
  frozen: false,
  gain: 3,
} as unknown as Layer;

const settings = settingsOf(catalogue, layer);
const [shape, filter, noise, frozen, gain] = settings;
const everything = () => true;

it("finds every setting of a layer in the catalogue, but its units", () => {
  expect(settings.map(({ field }) => field.name)).toEqual(["shape", "filter", "noise", "frozen", "gain"]);
});

it("puts into small buttons what can be off, and shares", () => {
  const { large, small } = inHeader(settings, everything);
  expect(large).toEqual([shape]);
  expect(small).toEqual([filter, noise, frozen]);
  expect(gain.small).toBe(false);
  expect(settings.filter(isPartial)).toEqual([noise]);
});

it("needs no row for what is hidden", () => {
  expect(headerRows(settings, everything)).toBe(3);
  expect(headerRows(settings, (name) => name !== "shape")).toBe(2);
  expect(headerRows(settings, (name) => name === "noise")).toBe(1);
});

it("says shortly what is on, and else what it would be", () => {
  expect([filter, noise, frozen].map(({ on }) => on)).toEqual([false, true, false]);
  expect([filter, noise, frozen].map(shortly)).toEqual(["filt", "15%", "froz"]);
  const [, low] = settingsOf(catalogue, { ...layer, filter: { kind: "low pass" } } as unknown as Layer);
  expect(shortly(low)).toBe("LP");
  expect(inWords(noise)).toBe("Noise: 15%");
});

it("offers shares within the bounds, and the one that is set", () => {
  expect(optionsOf(noise).map(({ value }) => value)).toEqual([0, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5]);
  expect(optionsOf(filter).map(({ value }) => value)).toEqual(["none", "low pass"]);
});

it("asks for a component by its kind", () => {
  expect(choosing(filter, "low pass")).toEqual({ filter: { kind: "low pass" } });
  expect(choosing(noise, 0.2)).toEqual({ noise: 0.2 });
});

it("leaves to the card what the header has no room for", () => {
  const deep = { ...frozen, field: { ...frozen.field, in_card: true } };
  expect(inHeader([shape, deep], () => true)).toEqual({ large: [shape], small: [] });
});
