import { afterEach, describe, expect, it, vi } from "vitest";
import { Frame } from "../wire";
import { LEVELS, levelOf, Shown, SvgEdges, WAYS_MOST } from "./edges";
import type { Edge } from "./layout";

describe("the look of a weight", () => {
  it("tells signs apart and grows with strength", () => {
    expect(levelOf(0)).toBe(0);
    for (const size of [0.05, 0.3, 1, 3, 10, 1e6]) {
      expect(levelOf(-size)).toBeGreaterThan(0);
      expect(levelOf(-size)).toBeLessThanOrEqual(LEVELS);
      expect(levelOf(size)).toBe(levelOf(-size) + LEVELS);
    }
    const sizes = [0.05, 0.5, 1, 2, 4].map(levelOf);
    expect([...sizes].sort((a, b) => a - b)).toEqual(sizes);
    expect(new Set(sizes).size).toBe(sizes.length);
  });

  it("is none for what is not a number", () => {
    expect(levelOf(Number.NaN)).toBe(0);
    expect(levelOf(undefined as unknown as number)).toBe(0);
  });
});

/** Of a network of one unit, with these weights into it. */
const frame = (...weights: number[]) =>
  new Frame({ layers: [{ inputs: weights.length, width: 1 }] }, { "weight.0": Float32Array.from(weights) });

describe("edges as SVG", () => {
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  function drawn() {
    const set = vi.fn();
    vi.stubGlobal("document", { createElementNS: () => ({ setAttribute: set, toggleAttribute: () => {} }) });
    const edge = (source: number): Edge => ({
      ...{ layer: 0, source, unit: 0, from: { layer: -1, unit: source } },
      ...{ x0: 0, y0: 0, x1: 9, y1: 9 },
    });
    const group = {
      namespaceURI: "",
      replaceChildren: () => {},
      classList: { toggle: () => {}, remove: () => {} },
    };
    const edges = new SvgEdges(group as unknown as SVGGElement, [edge(0), edge(1)]);
    set.mockClear();
    return { edges, set };
  }

  it("touches only an edge whose look changed", () => {
    const { edges, set } = drawn();
    edges.paint(frame(0.5, -0.5));
    expect(set).toHaveBeenCalledTimes(6);
    set.mockClear();
    edges.paint(frame(0.5001, -0.5001));
    expect(set).not.toHaveBeenCalled();
    edges.paint(frame(0.5, -2));
    expect(set.mock.calls.map(([name]) => name)).toEqual(["stroke-width", "stroke-opacity"]);
  });

  it("leaves an edge as it is where a frame does not have its weight", () => {
    const { edges, set } = drawn();
    edges.paint(frame());
    expect(set).not.toHaveBeenCalled();
    edges.paint(frame(0.5, -0.5));
    set.mockClear();
    edges.paint(frame(0.5));
    expect(set).not.toHaveBeenCalled();
  });

  it("changes the class when the sign does", () => {
    const { edges, set } = drawn();
    edges.paint(frame(0.5, 0.5));
    set.mockClear();
    edges.paint(frame(-0.5, 0.5));
    expect(set).toHaveBeenCalledWith("class", "negative");
  });
});

describe("which edges are drawn", () => {
  const edge = (layer: number, source: number, past = true): Edge => ({
    ...{ layer, source, unit: 0, from: { layer: -1, unit: source } },
    ...{ x0: 0, y0: 0, x1: 9, y1: 9, past: past ? { y: 0, from: 3, to: 6 } : undefined },
  });

  it("leaves out the weakest ways past layers, and nothing else", () => {
    const edges = [
      ...Array.from({ length: 40 }, (_, source) => edge(1, source, false)),
      ...Array.from({ length: WAYS_MOST + 4 }, (_, source) => edge(2, source)),
      ...Array.from({ length: WAYS_MOST }, (_, source) => edge(3, source)),
    ];
    const shown = new Shown(edges);
    shown.take((i) => edges[i].source);
    const left = edges.filter((_, i) => shown.left[i]);
    expect(left.map(({ layer, source }) => [layer, source])).toEqual(
      [0, 1, 2, 3].map((source) => [2, source]),
    );
  });
});
