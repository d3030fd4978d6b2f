// The past of the session, and the sessions that share it: looking back, branches, twins.
import * as api from "../api";
import { Refused } from "../api";
import { strokeOf } from "../curves/marks";
import type { History } from "../history";
import { joined, t } from "../i18n";
import type { Entry, Parent, RunState } from "../types";
import type { Connection, Held } from "./connection.svelte";
import type { Experiment } from "./experiment.svelte";
import type { Notices } from "./notices.svelte";
import type { Readouts } from "./readouts.svelte";
import { Relative } from "./relative.svelte";
import { store, stored } from "./storage";

const KEYS = "playground.keys";
const MOST_KEYS = 40;

/** A change, all lines of its drag, that a twin does without. */
export interface Without {
  step: number;
  epoch: number;
  lines: number;
  label: string;
}

export class Family {
  /** The page looks back at a moment of `original`; the first thing that is done there begins a branch. */
  passing = $state(false);
  /** The step that it looks back at, which the pictures come to. */
  looked = $state(0);
  /** The next change is to be made with a twin. */
  armed = $state(false);
  /** Where the session branched off. */
  parent = $state.raw<Parent | null>(null);
  /** The session that it branched off from, as long as that is to be seen. */
  original = $state.raw<Relative | null>(null);
  /** Those that train in lock-step with it. */
  companions = $state.raw<Relative[]>([]);
  /** All whose curves lie beneath its own. */
  readonly ghosts: Relative[] = $derived(
    [...(this.original && !this.passing ? [this.original] : []), ...this.companions].filter(
      ({ id }, i, all) => all.findIndex((one) => one.id === id) === i,
    ),
  );

  private wanted: number | null = null;
  private moving = false;
  /** Whose curves were taken away. */
  private readonly dismissed = new Set<string>();

  constructor(
    private readonly connection: Connection,
    private readonly experiment: Experiment,
    private readonly readouts: Readouts,
    private readonly notices: Notices,
  ) {}

  /** The run that the scrubber goes over: that of the original while the page looks back. */
  get past(): { history: History; timeline: Entry[]; step: number } {
    const { original } = this;
    if (this.passing && original) {
      original.version;
      return original;
    }
    return { history: this.readouts.history, timeline: this.experiment.timeline, step: this.readouts.step };
  }

  /** Shows the moment after so many steps. Of moments asked for in a row, the last one counts. */
  readonly lookBack = async (step: number): Promise<void> => {
    this.wanted = this.looked = step;
    if (this.moving) return;
    this.moving = true;
    try {
      while (this.wanted !== null) {
        const next: number = this.wanted;
        this.wanted = null;
        if (this.passing) await this.connection.send({ type: "seek", step: next });
        else await this.leave(next);
      }
    } catch (error) {
      this.refused(error);
    } finally {
      this.moving = false;
    }
  };

  /** From the moment that is looked at to the session as it is now; from a branch to where it came from. */
  readonly back = (): void => {
    const { original, passing, parent } = this;
    const id = original?.id ?? parent?.session;
    if (!id) return;
    const left = this.connection.own;
    this.wanted = null;
    this.passing = false;
    this.connection.return({ id, key: this.keyOf(id) });
    if (passing && left?.key) void api.end(left.id, left.key).catch(() => {});
  };

  /** Every change, each with those of the same drag, the last one first. */
  readonly changes: Without[] = $derived.by(() => {
    const found: Without[] = [];
    let before: string | undefined;
    for (const [lines, { step, epoch, label, best }] of this.experiment.timeline.entries()) {
      const stroke = best ? undefined : strokeOf(label);
      const words = joined(label);
      if (stroke !== undefined && stroke === before) found[0] = { ...found[0], label: words };
      else if (!best) found.unshift({ step, epoch, lines, label: words });
      before = stroke;
    }
    return found;
  });
  /** The last change, if nothing but a change came last. */
  readonly lastChange: Without | null = $derived.by(() =>
    this.experiment.timeline.at(-1)?.best ? null : (this.changes[0] ?? null),
  );

  /** Something has been changed here: with a twin, if that was asked for. */
  changed(): void {
    const { lastChange } = this;
    if (!this.armed || !lastChange) return;
    this.armed = false;
    void this.twin(lastChange);
  }

  /** Trains what the session would be without the change beside it. */
  readonly twin = async ({ step, lines }: Pick<Without, "step" | "lines">): Promise<void> => {
    const own = this.connection.own;
    if (!own?.key) return;
    try {
      const made = await api.branch(own.id, own.key, { step, lines, together: true });
      this.remember(made);
    } catch (error) {
      this.refused(error);
    }
  };

  /** Lets the relatives that the page shows train in lock-step with its session. */
  readonly goTogether = async (relatives: Relative[]): Promise<void> => {
    const own = this.connection.own;
    if (!own?.key) return;
    try {
      for (const { id } of relatives) {
        const key = this.keyOf(id);
        if (key) await api.together(id, key, { session: own.id, key: own.key });
      }
    } catch (error) {
      this.refused(error);
    }
  };

  /** What can be done with it takes its key. */
  readonly holds = ({ id }: Relative): boolean => this.keyOf(id) !== null;

  /** Takes its curves away; a twin ends with that. */
  readonly dismiss = (relative: Relative): void => {
    const key = this.keyOf(relative.id);
    this.dismissed.add(relative.id);
    if (relative.id !== this.parent?.session && key) void api.end(relative.id, key).catch(() => {});
    if (this.original === relative) this.original = null;
    this.companions = this.companions.filter((one) => one !== relative);
    relative.close();
  };

  /** What to call it. */
  readonly named = (relative: Relative): string => {
    if (relative.id === this.parent?.session) return t("family.original");
    const { parent } = relative;
    const mine = parent?.session === this.connection.session;
    const lines = parent && mine ? this.experiment.timeline.slice(parent.lines) : [];
    if (lines.length && relative.timeline.length === parent?.lines)
      return t(this.isLast(relative) ? "family.without" : "family.without_since", {
        label: joined(lines[0].label),
      });
    return t("family.branch", { epoch: Math.floor(parent?.epoch ?? 0) });
  };

  /** Whether a twin does without the last change only, and not without all since an earlier one. */
  readonly isLast = ({ parent }: Relative): boolean =>
    parent !== null && parent.lines >= (this.changes[0]?.lines ?? 0);

  /** What the server says of the session. */
  adopt({ passing, parent, together }: RunState): void {
    const began = this.passing && !passing && parent !== null && this.original?.id === parent.session;
    this.passing = passing;
    this.parent = parent;
    const seen = (id: string) => !this.dismissed.has(id) && id !== this.connection.session;
    const known = [...(this.original ? [this.original] : []), ...this.companions];
    const find = (id: string) =>
      known.find((one) => one.id === id) ?? new Relative(id, this.keyOf(id)).connect();
    this.original = parent && (passing || seen(parent.session)) ? find(parent.session) : null;
    this.companions = together
      .filter(seen)
      .map((id) => (id === this.original?.id ? this.original : find(id)));
    for (const one of known) if (one !== this.original && !this.companions.includes(one)) one.close();
    if (began) this.begin(parent);
  }

  /** The curves of a session that the page goes to, as far as they are here, and the number of its run. */
  take(id: string | null): { history: History; run: number } | null {
    const found = [this.original, ...this.companions].find((one) => one?.id === id) ?? null;
    found?.close();
    if (this.original === found) this.original = null;
    this.companions = this.companions.filter((one) => one !== found);
    return found && found.history.last >= 0 && found.run !== -1 ? found : null;
  }

  /** Keeps the key of a session, so that the way back to it is more than watching. */
  remember({ id, key }: Held): void {
    const keys = Object.entries({ ...this.keys, [id]: key }).slice(-MOST_KEYS);
    store(sessionStorage, KEYS, JSON.stringify(Object.fromEntries(keys)));
  }

  private get keys(): Record<string, string> {
    return JSON.parse(stored(sessionStorage, KEYS) ?? "{}");
  }

  private keyOf(id: string): string | null {
    return this.keys[id] ?? null;
  }

  /** To a session that looks back at this one, at a step. */
  private async leave(step: number): Promise<void> {
    const { own } = this.connection;
    if (!own) return;
    const made = await api.branch(own.id, null, { step, passing: true });
    if (own.key) this.remember({ id: own.id, key: own.key });
    this.remember(made);
    for (const one of this.companions) one.close();
    this.companions = [];
    this.original?.close();
    const original = new Relative(own.id, own.key, this.readouts.history);
    original.timeline = this.experiment.timeline;
    this.original = original;
    this.passing = true;
    this.connection.lookAt(made);
    original.connect();
  }

  /** Something was done where the page looked back: it is a branch, and the original waits. */
  private begin({ session, epoch }: Parent): void {
    const key = this.keyOf(session);
    if (key && this.original?.playing) void api.pause(session, key).catch(() => {});
    this.connection.settle(key ? { id: session, key } : null);
    this.notices.say(t("note.branched", { epoch: Math.floor(epoch) }));
  }

  private refused(error: unknown): void {
    if (error instanceof Refused && error.failure.status === 0) return;
    this.notices.toast(error instanceof Error ? error.message : String(error), "error");
  }
}
