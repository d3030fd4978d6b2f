// Which weights are frozen, and what a press on a lock makes of it.
import type { Config, Layer } from "../types";
import type { Edit } from "./shape";

/** What a layer says of it, hidden or output. */
export type Freezable = Pick<Layer, "frozen" | "frozen_neurons" | "frozen_edges">;

/** What holds a weight: itself, its neuron, its layer, or nothing. `source` is null for a bias. */
export type Holder = "edge" | "neuron" | "layer" | null;

export const layerOf = (config: Config, layer: number): Freezable => config.hidden.at(layer) ?? config.output;

export function holderOf(of: Freezable, source: number | null, unit: number): Holder {
  if (of.frozen) return "layer";
  if (of.frozen_neurons.includes(unit)) return "neuron";
  return of.frozen_edges.some((edge) => edge[0] === source && edge[1] === unit) ? "edge" : null;
}

export const isNeuronFrozen = (of: Freezable, unit: number): boolean =>
  of.frozen || of.frozen_neurons.includes(unit);

export const withNeuron =
  (unit: number, on: boolean): Edit<Freezable> =>
  ({ frozen_neurons: old }) => ({
    frozen_neurons: on ? [...old, unit] : old.filter((other) => other !== unit),
  });

export const withEdge =
  (source: number, unit: number, on: boolean): Edit<Freezable> =>
  ({ frozen_edges: old }) => {
    const others = old.filter((edge) => edge[0] !== source || edge[1] !== unit);
    return { frozen_edges: on ? [...others, [source, unit]] : others };
  };
