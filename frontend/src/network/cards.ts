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
type LayerCard = Anchored & { layer: number };
export type Card = UnitCard | (LayerCard & { what: "layer" }) | (LayerCard & { what: "output" });

/** Whether what a card is about is no longer there. `inputs`: how many each layer has. */
export function isGone(card: Card, inputs: number[], widths: number[]): boolean {
  if (card.what === "output") return card.layer !== widths.length - 1;
  if (card.what === "layer") return card.layer >= widths.length - 1;
  return card.unit >= (widths[card.layer] ?? 0) || (card.source ?? 0) >= (inputs[card.layer] ?? 0);
}
