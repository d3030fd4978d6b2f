// Another session that the page's own is compared with: its curves, and with a rate its pictures too.
import { History } from "../history";
import { Live, NONE, type Status } from "../live";
import type { Config, Entry, Parent, RunState } from "../types";
import { DataMessage, Frame, MetricsMessage } from "../wire";

const INTERVAL_MS = 100;

/** Cells along the sides of the maps that it sends, and how many a second. */
export interface Pictures {
  rate: number;
  output: number;
}

export class Relative {
  /** Where it branched off. */
  parent = $state.raw<Parent | null>(null);
  together = $state.raw<string[]>([]);
  config = $state.raw<Config | null>(null);
  timeline = $state.raw<Entry[]>([]);
  data = $state.raw<DataMessage | null>(null);
  step = $state(0);
  epoch = $state(0);
  playing = $state(false);
  /** Nobody can go there any more. */
  gone = $state(false);
  /** Plain columns; whoever reads them reads `version` too. */
  history: History;
  version = $state(0);
  run = -1;

  private painter: (frame: Frame) => void = () => {};
  private newest: Frame | null = null;
  private live: Live | null = null;
  private timer: ReturnType<typeof setTimeout> | null = null;

  /** With what is known of its history already. */
  constructor(
    readonly id: string,
    readonly key: string | null,
    history = new History(),
    private readonly pictures: Pictures | null = null,
  ) {
    this.history = history;
    this.step = history.step.at(-1) ?? 0;
    this.epoch = history.epoch.at(-1) ?? 0;
  }

  connect(): this {
    this.live = new Live(
      this.id,
      null,
      {
        since: () => this.history.last,
        event: (event) => {
          switch (event.type) {
            case "hello":
              if (this.run !== -1 && event.run !== this.run && this.history.last >= 0) {
                this.begin(event.run);
                this.live?.restart();
                return;
              }
              this.begin(event.run, this.history);
              this.config = event.config;
              this.timeline = event.timeline;
              this.adopt(event.state);
              break;
            case "changed":
              this.config = event.config;
              this.timeline = [...this.timeline, event.entry];
              break;
            case "run":
              this.begin(event.run);
              this.config = event.config;
              this.timeline = event.timeline;
              break;
            case "state":
              this.adopt(event);
          }
        },
        message: (message) => {
          if (message instanceof DataMessage) this.data = message;
          if (message instanceof MetricsMessage && !message.current) {
            this.history.append(message);
            this.follow();
          }
          if (message instanceof Frame) {
            [this.step, this.epoch] = [message.step, message.epoch];
            this.newest = message;
            this.painter(message);
            this.live?.ack(message.frame);
          }
        },
        status: (status: Status) => {
          if (status === "gone") this.gone = true;
        },
      },
      { ...(this.pictures ?? { rate: 0 }), ...NONE },
    );
    return this;
  }

  /** Calls `paint` with each picture, which is acknowledged after that, and at once if there is one already. */
  readonly onFrame = (paint: (frame: Frame) => void): (() => void) => {
    this.painter = paint;
    if (this.newest) paint(this.newest);
    return () => {
      this.painter = () => {};
    };
  };

  /** The last picture. */
  readonly latest = (): Frame | null => this.newest;

  close(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.live?.close();
    this.live = null;
  }

  private begin(run: number, history = new History()): void {
    this.run = run;
    this.history = history;
    this.version++;
  }

  private adopt({ step, epoch, playing, parent, together }: RunState): void {
    if (step >= this.step) [this.step, this.epoch] = [step, epoch];
    this.playing = playing;
    this.parent = parent;
    this.together = together;
  }

  /** Lets the curves follow soon. */
  private follow(): void {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      const { step, epoch } = this.history;
      if ((step.at(-1) ?? 0) > this.step) [this.step, this.epoch] = [step.at(-1) ?? 0, epoch.at(-1) ?? 0];
      this.version++;
    }, INTERVAL_MS);
  }
}
