// What is trained: the config as the server echoes it, its changes, and undoing them.
import { Refused } from "../api";
import { figure } from "../figures";
import { latest } from "../frames";
import { joined, t } from "../i18n";
import { combined, undoable } from "../patch";
import type { Catalogue, Command, Config, Entry, Event, Patch, Task, Text, WeightEdit } from "../types";
import type { DataMessage } from "../wire";
import type { Action, Notices } from "./notices.svelte";
import { sentence } from "./refusal";

export interface ChangeOptions {
  /** Retry once with what the server suggests, where the parts would not fit. */
  adapt?: boolean;
  /** Told why the server did not take it, in place of a toast. */
  onrefused?: (reason: string) => void;
  /** Say nothing of the effect. */
  quiet?: boolean;
  /** Changes of one gesture (`newGesture()`) are undone together. */
  gesture?: number;
}
export type Change = (patch: Patch, options?: ChangeOptions) => Promise<boolean>;

/** The way to the server. Both reject with `Refused`. */
export interface Channel {
  send: (command: Command) => Promise<unknown>;
  change: (patch: Patch) => Promise<{ effect?: Text[] }>;
}

export class Experiment {
  /* What the server says. Replaced whole, never mutated. */
  catalogue = $state.raw<Catalogue | null>(null);
  config = $state.raw<Config | null>(null);
  task = $state.raw<Task | null>(null);
  data = $state.raw<DataMessage | null>(null);
  timeline = $state.raw<Entry[]>([]);

  /** The gesture that made an entry, where one did. */
  private gestures = $state.raw<ReadonlyMap<Entry, number>>(new Map());
  readonly undoStack = $derived(undoable(this.timeline, this.gestures));

  private gesture: number | null = null;
  /** The last weight set here, and what it was before: the server keeps no inverse of it. */
  private weightBefore: { edit: string; value: number } | null = null;

  constructor(
    private readonly channel: Channel,
    private readonly notices: Notices,
  ) {}

  /** Applies a merge patch to the running network. True when the server took it; otherwise a toast says why. */
  readonly change: Change = async (patch, options = {}) => {
    this.gesture = options.gesture ?? null;
    try {
      const { effect } = await this.channel.change(patch);
      if (!options.quiet && effect?.length) this.notices.say(joined(effect, " · "));
      return true;
    } catch (error) {
      const suggestion =
        error instanceof Refused ? error.failure.errors?.find((e) => e.suggestion)?.suggestion : null;
      if (!suggestion && options.onrefused) {
        options.onrefused(this.reason(error));
        return false;
      }
      if (!suggestion) return this.refused(error);
      const fitting = combined(patch, suggestion);
      if (options.adapt) return this.change(fitting, { ...options, adapt: false });
      return this.refused(error, { label: t("toast.use_fitting"), run: () => void this.change(fitting) });
    }
  };

  /** Sends a command; true when the server took it, otherwise a toast says why. */
  async command(command: Command): Promise<boolean> {
    try {
      await this.channel.send(command);
      return true;
    } catch (error) {
      return this.refused(error);
    }
  }

  /** Sets one weight (`source` is the unit below) or, with `source` null, a bias. */
  readonly setWeight = async (edit: WeightEdit, gesture?: number): Promise<boolean> => {
    const { layer, source, unit, value } = edit;
    const frame = latest();
    const before = source === null ? frame?.bias(layer, unit) : frame?.weight(layer, source, unit);
    this.gesture = gesture ?? null;
    this.weightBefore = before === undefined ? null : { edit: keyOf(edit), value: before };
    const done = await this.command({ type: "weight", layer, source, unit, value });
    if (done) {
      const values = { layer: layer + 1, before: figure(before ?? null), after: figure(value) };
      this.notices.say(t(source === null ? "note.bias_set" : "note.weight_set", values));
    }
    return done;
  };

  readonly undo = async (): Promise<boolean> => {
    const entry = this.undoStack.at(-1);
    if (!entry) return false;
    const { weight, ...patch } = entry.undo;
    const done = weight
      ? await this.setWeight(weight as WeightEdit)
      : await this.change(patch, { quiet: true });
    if (done) this.notices.say(t("note.undone", { label: joined(entry.label) }));
    return done;
  };

  /** Takes a run as the server has it. */
  adopt(run: { config: Config; timeline: Entry[]; task?: Task }): void {
    this.timeline = run.timeline;
    this.config = run.config;
    if (run.task) this.task = run.task;
  }

  /** Takes one change that the server has applied, whoever asked for it. */
  enter({ entry: told, config, task }: Extract<Event, { type: "changed" }>): void {
    let entry = told;
    const edit = told.weights as WeightEdit | undefined;
    const before = this.weightBefore;
    if (edit && before?.edit === keyOf(edit))
      entry = { ...told, change: { weight: edit }, undo: { weight: { ...edit, value: before.value } } };
    if (this.gesture !== null) this.gestures = new Map([...this.gestures, [entry, this.gesture]]);
    this.timeline = [...this.timeline, entry];
    this.config = config;
    this.task = task;
  }

  show(data: DataMessage): void {
    this.data = data;
    this.task = data.task;
  }

  private refused(error: unknown, action?: Action): false {
    const failure = error instanceof Refused ? error.failure : null;
    if (failure?.status === 0) {
      if (failure.title === "No answer") this.notices.toast(t("toast.no_answer"), "error");
    } else {
      this.notices.toast(this.reason(error), "error", action);
    }
    return false;
  }

  private reason(error: unknown): string {
    return error instanceof Refused ? sentence(error.failure, this.config, this.catalogue) : String(error);
  }
}

/** The same text for the same edit of a weight. */
const keyOf = ({ layer, source, unit, value }: WeightEdit) => JSON.stringify([layer, source, unit, value]);
