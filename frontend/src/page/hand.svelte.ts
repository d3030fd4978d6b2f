// What the visitor's hand holds over the decision map; "own points" in the data panel puts the pencil into it.
export type Tool = "look" | "draw" | "move" | "erase";

export class Hand {
  tool = $state<Tool>("look");
  /** What the next drawn point is: a class, or a value for a regression. */
  target = $state(0);
  /** No point is left on the map, and the first one is waited for: a network learns from at least one. */
  afresh = $state(false);

  readonly pick = (tool: Tool, target = this.target): void => {
    this.tool = tool;
    this.target = target;
  };
}
