// Which neurons the picture shows. Only they are asked for.
import type { Drawn } from "../live";
import type { Card } from "./cards";
import type { Column } from "./layout";

/**
 * Of each layer the units that stand between two places of the picture, and those of a column more on either side, from
 * which edges lead there.
 */
export function unitsBetween(columns: Column[], from: number, to: number): number[][] {
  const first = columns.findIndex(({ x, tile }) => x + tile / 2 >= from);
  const last = columns.findLastIndex(({ x, tile }) => x - tile / 2 <= to);
  return columns
    .map((column, at) => ({ ...column, near: first >= 0 && at >= first - 1 && at <= last + 1 }))
    .filter(({ layer }) => layer >= 0)
    .map(({ near, places }) => (near ? places.map(({ unit }) => unit) : []));
}

/** The neuron that a card shows closely, with all weights into it. */
export const enlargedBy = (card: Card | null): Drawn["enlarged"] =>
  card?.what === "neuron" ? { layer: card.layer, unit: card.unit } : null;
