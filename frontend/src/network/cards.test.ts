import { expect, it } from "vitest";
import { isGone } from "./cards";

const anchor = {} as Element;

it("closes a card whose layer, unit or connection has gone", () => {
  const neuron = (layer: number, unit: number) =>
    isGone({ what: "neuron", layer, unit, anchor }, [2, 4], [4, 1]);
  expect([neuron(0, 3), neuron(1, 0)]).toEqual([false, false]);
  expect([neuron(0, 4), neuron(2, 0)]).toEqual([true, true]);
  const edge = (layer: number, source: number) =>
    isGone({ what: "edge", layer, source, unit: 0, anchor }, [2, 4], [4, 1]);
  expect([edge(0, 1), edge(1, 3)]).toEqual([false, false]);
  expect([edge(0, 2), edge(1, 4)]).toEqual([true, true]);
  expect(isGone({ what: "layer", layer: 0, anchor }, [2, 4], [4, 1])).toBe(false);
  expect(isGone({ what: "layer", layer: 1, anchor }, [2, 4], [4, 1])).toBe(true);
  expect(isGone({ what: "output", layer: 1, anchor }, [2, 4], [4, 1])).toBe(false);
  expect(isGone({ what: "output", layer: 1, anchor }, [2, 4, 2], [4, 2, 1])).toBe(true);
});
