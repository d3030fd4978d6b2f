// Taking back what was done last: a setting by setting it back, what loses something by going back to before it.
import { Refused } from "../api";
import { joined, t } from "../i18n";
import { undoable } from "../patch";
import { undoing } from "../top/undone";
import type { Entry, Moment, WeightEdit } from "../types";
import type { Connection } from "./connection.svelte";
import type { Experiment } from "./experiment.svelte";
import type { Notices } from "./notices.svelte";

interface Step {
  /** What the button says. */
  title: string;
  /** What is said when it is done. */
  note: string;
  run: () => Promise<boolean>;
}

export class Undo {
  /** What the session says that one can go back to. */
  private beforeReset = $state.raw<Moment | null>(null);
  private beforeUndo = $state.raw<Moment | null>(null);

  constructor(
    private readonly experiment: Experiment,
    private readonly connection: Connection,
    private readonly notices: Notices,
  ) {}

  /** What can be taken back; null for nothing. */
  readonly next: Step | null = $derived.by(() => {
    const { experiment, connection } = this;
    const entry = undoable(experiment.timeline, experiment.gestures).at(-1);
    if (entry && experiment.config && experiment.catalogue) {
      const title = undoing(entry, experiment.config, experiment.catalogue);
      const values = { label: joined(entry.label), epoch: Math.floor(entry.epoch) };
      const note = t(entry.checkpoint == null ? "note.undone" : "note.undone_back", values);
      return { title, note, run: () => this.take(entry) };
    }
    const end = this.beforeReset;
    if (end) {
      const values = { epoch: Math.floor(end.epoch) };
      const title = t("top.undo_reset", values);
      return { title, note: t("note.back", values), run: () => this.goBack(end.checkpoint) };
    }
    const former = connection.former;
    return former && { title: t("top.undo_new"), note: "", run: async () => connection.comeBack(former) };
  });

  /** What was taken back last, until something is changed. */
  readonly redoable: Step | null = $derived.by(() => {
    const moment = this.beforeUndo;
    if (!moment) return null;
    const values = { epoch: Math.floor(moment.epoch) };
    const title = t("top.redo", values);
    return { title, note: t("note.back", values), run: () => this.goBack(moment.checkpoint) };
  });

  readonly undo = () => this.do(this.next);
  readonly redo = () => this.do(this.redoable);

  /** Back to a moment of the session. */
  readonly goBack = (checkpoint: number) => this.experiment.command({ type: "restore", checkpoint });

  adopt(state: { before_reset: Moment | null; before_undo: Moment | null }): void {
    this.beforeReset = state.before_reset;
    this.beforeUndo = state.before_undo;
  }

  private async do(step: Step | null): Promise<boolean> {
    const done = (await step?.run()) ?? false;
    if (step && done) this.notices.say(step.note);
    return done;
  }

  private async take({ undo, checkpoint }: Entry): Promise<boolean> {
    const { weight, ...patch } = undo;
    if (checkpoint != null) {
      try {
        await this.connection.send({ type: "restore", checkpoint });
        return true;
      } catch (error) {
        // The server keeps only so many moments; the setting can come back all the same.
        if (!(error instanceof Refused) || error.failure.status === 0 || !Object.keys(patch).length)
          throw error;
      }
    }
    if (weight) return this.experiment.setWeight(weight as WeightEdit);
    return this.experiment.change(patch, { quiet: true });
  }
}
