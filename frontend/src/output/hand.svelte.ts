// What the visitor's hand holds over the decision map; "own points" in the data panel puts the pencil into it.
export type Tool = "look" | "draw" | "move" | "erase";

export const hand = $state({
  tool: "look" as Tool,
  /** What the next drawn point is: a class, or a value in [-1, 1] for a regression. */
  target: 0,
});
