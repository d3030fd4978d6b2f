// What the visitor's hand holds over the decision map; "own points" in the data panel puts the pencil into it.
export type Tool = "look" | "draw" | "move" | "erase";

export const hand = $state({
  tool: "look" as Tool,
  /** The next drawn point takes the place of all that are there: a network learns from at least one. */
  afresh: false,
  /** What the next drawn point is: a class, or a value for a regression. */
  target: 0,
});
