// Sends the newest value at most every `interval` ms, one at a time: what comes meanwhile waits, the latest wins.
export class Paced<T> {
  private waiting: { value: T } | null = null;
  private busy = false;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private last = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly send: (value: T) => Promise<unknown>,
    private readonly settled: () => void = () => {},
    private readonly interval = 100,
  ) {}

  get idle(): boolean {
    return !this.busy && this.waiting === null;
  }

  push(value: T): void {
    this.waiting = { value };
    this.next();
  }

  /** Forgets what has not been sent. */
  drop(): void {
    this.waiting = null;
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }

  private next(): void {
    if (this.busy || this.timer !== null || this.waiting === null) return;
    const wait = this.last + this.interval - Date.now();
    if (wait > 0) {
      this.timer = setTimeout(() => {
        this.timer = null;
        this.next();
      }, wait);
      return;
    }
    const { value } = this.waiting;
    this.waiting = null;
    this.busy = true;
    this.last = Date.now();
    this.send(value)
      .catch(() => {})
      .finally(() => {
        this.busy = false;
        this.next();
        if (this.idle) this.settled();
      });
  }
}
