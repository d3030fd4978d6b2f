// Quick presses build on each other, not on an echo that is still on its way.
import type { Change } from "../page/experiment.svelte";
import type { Config } from "../types";

type List = "hidden" | "features";

export class Edits {
  private readonly wanted: Partial<Pick<Config, List>> = {};
  private readonly underway = { hidden: 0, features: 0 };

  constructor(
    private readonly config: () => Config,
    private readonly change: Change,
  ) {}

  /** Asks for a list of the config as `edit` makes it of the one that was asked for last. */
  async ask<Name extends List>(name: Name, edit: (old: Config[Name]) => Config[Name]): Promise<void> {
    const wanted = edit((this.wanted as Partial<Config>)[name] ?? this.config()[name]);
    (this.wanted as Pick<Config, Name>)[name] = wanted;
    this.underway[name]++;
    await this.change({ [name]: wanted }, { adapt: true });
    if (--this.underway[name] === 0) delete this.wanted[name];
  }
}
