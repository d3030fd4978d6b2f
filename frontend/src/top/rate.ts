// How fast training really is: the speed over the last seconds, from how far it was at each.
const WINDOW_MS = 5_000;
const SLOW = 0.8;

export class Rate {
  private seen: { at: number; done: number }[] = [];

  /** Begins anew: what was before says nothing of now. */
  clear(): void {
    this.seen = [];
  }

  /** Epochs or steps a second, or null while the wanted rate is about kept or too little has been seen. */
  below(wanted: number, done: number, at: number): number | null {
    const last = this.seen.at(-1);
    if (last && done < last.done) this.clear();
    this.seen = [...this.seen.filter((one) => at - one.at <= WINDOW_MS), { at, done }];
    const seconds = (at - this.seen[0].at) / 1000;
    if (seconds < 2.5) return null;
    const rate = (done - this.seen[0].done) / seconds;
    // One may just be about to be counted.
    return rate + 1 / seconds < SLOW * wanted ? rate : null;
  }
}
