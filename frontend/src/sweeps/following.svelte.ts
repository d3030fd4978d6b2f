// A sweep that is looked at: its trials as they come, its curves and what matters, now and then.
import * as api from "../api";
import type { Sweep, SweepCurves, Trial } from "../types";

const LOOK_MS = 1500; // between two looks at curves and importance

export class Following {
  sweep = $state.raw<Sweep>() as Sweep;
  trials = $state.raw<Trial[]>([]);
  curves = $state.raw<SweepCurves>({});
  importance = $state.raw<Record<string, number>>({});
  readonly over = $derived(["done", "failed", "cancelled"].includes(this.sweep.state));
  private readonly events: EventSource;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private seen = -1;

  constructor(sweep: Sweep) {
    this.sweep = sweep;
    this.events = new EventSource(`${api.root}/api/sweeps/${sweep.id}/events`);
    this.events.addEventListener("trials", ({ data }) => {
      const changed = [...this.trials];
      for (const trial of (JSON.parse(data) as { items: Trial[] }).items) changed[trial.number] = trial;
      this.trials = changed;
    });
    this.events.addEventListener("sweep", ({ data }) => {
      this.sweep = JSON.parse(data);
      if (this.over) {
        this.events.close();
        void this.look();
      } else this.timer ??= setTimeout(() => this.look(), LOOK_MS);
    });
  }

  private async look(): Promise<void> {
    this.timer = undefined;
    if (this.sweep.done === this.seen) return;
    this.seen = this.sweep.done;
    const { id } = this.sweep;
    // What matters takes a while to find out.
    await Promise.all([
      api.sweepCurves(id).then(({ trials }) => {
        this.curves = trials as SweepCurves;
      }),
      api.sweepTrials(id).then(({ importance }) => {
        this.importance = importance;
      }),
    ]);
  }

  leave(): void {
    clearTimeout(this.timer);
    this.events.close();
  }
}
