// What a press on the picture does to the config. Pure: takes the layers or features that are, gives those that shall be.

import { power } from "../figures";
import { written } from "../i18n";
import type { Component, Config, Layer, Patch } from "../types";
import type { Unit } from "./layout";

/** What is to be different about a layer. A function of the layer, so that quick presses add up. */
export type Edit<Of = Layer> = (old: Of) => Patch;

/** The layers with one edited. */
export function withLayer(hidden: Layer[], layer: number, edit: Edit): Layer[] {
  return hidden.map((old, at) => (at === layer ? ({ ...old, ...edit(old) } as Layer) : old));
}

/**
 * The layers with the one at `at` edited, and as wide as each other where they are added up: one that becomes residual
 * gets the width of what comes in, `features` for the first.
 */
export function withLayerInStep(hidden: Layer[], at: number, edit: Edit, features: number): Layer[] {
  const edited = withLayer(hidden, at, edit);
  const adds = (layer: number) => layer < edited.length && isResidual(edited[layer].shortcut);
  let [first, last] = [at, at];
  while (first >= 0 && adds(first)) first--;
  while (adds(last + 1)) last++;
  const follows = adds(at) && !isResidual(hidden[at].shortcut);
  const width = first < 0 ? features : edited[follows ? at - 1 : at].width;
  return edited.map((layer, i) => (i >= first && i <= last ? { ...layer, width } : layer));
}

/**
 * The layers with a new one at `at`, like the one before it, so that it can start close to the identity; otherwise it is
 * a `plain` one. Where layers are added up, it is one of them, and so starts as exactly the identity.
 */
export function withNewLayer(hidden: Layer[], at: number, plain: Layer): Layer[] {
  const before = hidden[at - 1];
  const like = before ?? hidden[at] ?? plain;
  const joins = before && [before, hidden[at]].find((layer) => layer && isResidual(layer.shortcut));
  const { shortcut } = joins ?? before ?? plain;
  const fresh: Layer = { ...plain, width: like.width, activation: { ...like.activation }, shortcut };
  return [...hidden.slice(0, at), fresh, ...hidden.slice(at)];
}

export function withoutLayer(hidden: Layer[], layer: number): Layer[] {
  return hidden.filter((_, at) => at !== layer);
}

/** The features with one switched, in the order of `all`; the last one stays. */
export function toggled(features: string[], name: string, all: string[]): string[] {
  const wanted = new Set(features);
  if (wanted.has(name)) wanted.delete(name);
  else wanted.add(name);
  if (!wanted.size) return features;
  return all.filter((feature) => wanted.has(feature));
}

/** The features with one more, at the end. */
export function withFeature(features: string[], name: string): string[] {
  return features.includes(name) ? features : [...features, name];
}

const FORMULAS = [
  "sin(3*x1)",
  "abs(x2)",
  "exp(-x1^2-x2^2)",
  "sqrt(x1^2+x2^2)",
  "atan2(x2,x1)",
  "x1*x2^2",
  "exp(-x1^2)",
  "abs(x1)",
  "x1^3",
];
const OFFERED = 6; // formulas at one time

/** Formulas to begin with that are not in use: those of `before` first. */
export function fresh(before: string[], features: string[], inputs: number): string[] {
  const fitting = FORMULAS.filter((formula) => inputs > 1 || !formula.includes("x2"));
  const all = [...new Set([...before, ...fitting])];
  return all.filter((formula) => !features.includes(formula)).slice(0, OFFERED);
}

const SUBSCRIPTS = "₀₁₂₃₄₅₆₇₈₉";

export const subscript = (number: number): string =>
  [...String(number)].map((digit) => SUBSCRIPTS[Number(digit)]).join("");

/** A feature's name as it is written in a book: "x1^2" -> "x₁²", "3*x1*x2" -> "3x₁x₂", "2*3" -> "2·3". */
export function pretty(feature: string): string {
  return feature
    .replace(/x(\d+)/g, (_, digits: string) => `x${subscript(Number(digits))}`)
    .replace(/\^2(?![\d.])/g, "²")
    .replace(/\*(?=[a-z(])/g, "")
    .replaceAll("*", "·");
}

/** A value with about three digits that matter, and a minus that is as wide as a plus. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size >= 1e6) return power(value, 2);
  const text =
    size >= 100
      ? size.toFixed(0)
      : size >= 10
        ? size.toFixed(1)
        : size >= 1
          ? size.toFixed(2)
          : size.toFixed(3);
  return written(value < 0 ? `−${text}` : text);
}

/** The number of weights and biases. `inputs`: of each layer; `widths`: their units. */
export const parameters = (inputs: number[], widths: number[]): number =>
  widths.reduce((count, width, layer) => count + (inputs[layer] + 1) * width, 0);

/**
 * Layer and unit of each input of a layer, as its weights have rows. Features are of layer -1, by their place among those
 * in use. `widths` and `shortcuts` are of all layers, the output's last.
 */
export function sourcesOf(layer: number, features: number, widths: number[], shortcuts: string[]): Unit[] {
  const first = shortcuts[layer] === "dense" ? -1 : layer - 1;
  return Array.from({ length: layer - first }, (_, i) => first + i).flatMap((from) =>
    Array.from({ length: from < 0 ? features : widths[from] }, (_, unit) => ({ layer: from, unit })),
  );
}

/** The kinds of the shortcuts of all layers, the output's last. */
export const shortcutsOf = ({ hidden, output }: Pick<Config, "hidden" | "output">): string[] =>
  [...hidden, output].map(({ shortcut }) => shortcut.kind);

export const isResidual = (shortcut: Component): boolean => shortcut.kind === "residual";
export const isNormalized = (normalization: Component): boolean => normalization.kind !== "none";
