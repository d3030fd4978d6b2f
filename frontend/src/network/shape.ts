// What a press on the picture does to the config. Pure: takes the layers or features that are, gives those that shall be.

import { power } from "../figures";
import { written } from "../i18n";
import type { Component, Layer, Patch } from "../types";

/** What is to be different about a layer. A function of the layer, so that quick presses add up. */
export type Edit<Of = Layer> = (old: Of) => Patch;

/** The layers with one edited. */
export function withLayer(hidden: Layer[], layer: number, edit: Edit): Layer[] {
  return hidden.map((old, at) => (at === layer ? ({ ...old, ...edit(old) } as Layer) : old));
}

/** The layers with a new one at `at`, like the one before it, so that it can start close to the identity; otherwise it is a `plain` one. */
export function withNewLayer(hidden: Layer[], at: number, plain: Layer): Layer[] {
  const like = hidden[at - 1] ?? hidden[at] ?? plain;
  const fresh: Layer = { ...plain, width: like.width, activation: { ...like.activation } };
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

const SUBSCRIPTS = "₀₁₂₃₄₅₆₇₈₉";

export const subscript = (number: number): string =>
  [...String(number)].map((digit) => SUBSCRIPTS[Number(digit)]).join("");

/** A feature's name as it is written in a book: "x1^2" -> "x₁²", "x1*x2" -> "x₁x₂". */
export function pretty(feature: string): string {
  return feature
    .replace(/x(\d+)/g, (_, digits: string) => `x${subscript(Number(digits))}`)
    .replace("^2", "²")
    .replace("*", "");
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

/** The number of weights and biases (and the scale and shift of normalised units). */
export function parameters(inputs: number, hidden: Layer[], outputs: number): number {
  let count = 0;
  let before = inputs;
  for (const { width, normalization } of hidden) {
    count += before * width + width + (isNormalized(normalization) ? 2 * width : 0);
    before = width;
  }
  return count + before * outputs + outputs;
}

export const isNormalized = (normalization: Component): boolean => normalization.kind !== "none";
