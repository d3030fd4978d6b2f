import { expect, it } from "vitest";
import { type Freezable, holderOf, isNeuronFrozen, withEdge, withNeuron } from "./freezing";

const layer: Freezable = { frozen: false, frozen_neurons: [2], frozen_edges: [[1, 0]] };

it("knows what holds a weight", () => {
  expect(holderOf(layer, 1, 0)).toBe("edge");
  expect(holderOf(layer, 1, 2)).toBe("neuron");
  expect(holderOf(layer, null, 2)).toBe("neuron");
  expect(holderOf(layer, null, 0)).toBe(null);
  expect(holderOf({ ...layer, frozen: true }, 1, 0)).toBe("layer");
  expect(isNeuronFrozen(layer, 2)).toBe(true);
  expect(isNeuronFrozen(layer, 0)).toBe(false);
});

it("freezes one more, and lets one go", () => {
  expect(withNeuron(0, true)(layer)).toEqual({ frozen_neurons: [2, 0] });
  expect(withNeuron(2, false)(layer)).toEqual({ frozen_neurons: [] });
  expect(withEdge(0, 1, true)(layer)).toEqual({
    frozen_edges: [
      [1, 0],
      [0, 1],
    ],
  });
  expect(withEdge(1, 0, false)(layer)).toEqual({ frozen_edges: [] });
});
