// Whether and how fast the network learns.
import type { Axes, Command, Divergence, RunState, Speed } from "../types";

export class Training {
  playing = $state(false);
  /** Null until the server has told. */
  speed = $state.raw<Speed | null>(null);
  held = $state.raw<Record<string, number>>({});
  axes = $state.raw<Axes>({ projection: "inputs", x: null, y: null });
  diverged = $state.raw<Divergence | null>(null);
  /** Why no hidden layer learns any more. */
  stuck = $state.raw<Divergence | null>(null);
  /** Where it was when the server last told. */
  step = $state(0);

  /** What a press asked for that the server has not answered yet: a second press means the opposite. */
  private asked: boolean | null = null;

  constructor(private readonly command: (command: Command) => Promise<boolean>) {}

  readonly toggle = async (): Promise<void> => {
    const wish = !(this.asked ?? this.playing);
    this.asked = wish;
    await this.command({ type: wish ? "play" : "pause" });
    if (this.asked === wish) this.asked = null;
  };
  readonly play = () => this.command({ type: "play" });
  readonly reset = () => this.command({ type: "reset" });
  readonly stepOnce = () => this.command({ type: "step", steps: 1 });
  /** What the maps are drawn over, and at what they hold other inputs, by name; the rest at their mean. */
  readonly setSlice = (held: Record<string, number>, axes: Axes) =>
    this.command({ type: "slice", held, axes });
  readonly setSpeed = (speed: Speed) => this.command({ type: "speed", ...speed });

  adopt({ playing, speed, diverged, stuck, held, axes, step }: RunState): void {
    this.step = step;
    this.stuck = stuck;
    this.held = held;
    this.axes = axes;
    this.playing = playing;
    this.speed = speed;
    this.diverged = diverged;
  }
}
