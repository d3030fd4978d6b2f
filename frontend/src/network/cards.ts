// The cards that open from the picture of the network.
import type { ReferenceElement } from "@floating-ui/dom";
import type { Unit } from "./layout";

interface Anchored {
  anchor: ReferenceElement;
}
export type UnitCard = Unit &
  Anchored & {
    what: "neuron" | "bias" | "edge";
    /** The unit below, of an edge. */
    source?: number;
  };
export type Card = UnitCard | (Anchored & { what: "layer"; layer: number });

/** Whether what a card is about is no longer there. `inputs`: the number of features in use. */
export function isGone(card: Card, inputs: number, widths: number[]): boolean {
  if (card.what === "layer") return card.layer >= widths.length - 1;
  const sources = card.layer ? (widths[card.layer - 1] ?? 0) : inputs;
  return card.unit >= (widths[card.layer] ?? 0) || (card.source ?? 0) >= sources;
}
