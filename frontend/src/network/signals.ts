// Paints what happens on the edges while the network learns: a glow where a weight has just changed, and beads that
// run along with the data. It has a canvas and a clock of its own, which stops when there is nothing to see.
import { signColour, type Theme } from "../colours";
import type { ByteMap, Frame } from "../wire";
import { levelOf, Shown, widthAt } from "./edges";
import { curve, type Edge, type Layout } from "./layout";
import { activity, Pulses, toShares } from "./pulses";

/** So many edges at most: those with the most flow. */
const MOST = 160;
/** Between two beads, in pixels, and how many pixels they move in a second. */
const SPACE = 20;
const SPEED = 46;
/** Beads run on for so long after a step, and take so long to come and go. */
const REST_MS = 350;
const EASE_MS = 250;
const LONGEST_MS = 100;

export class Signals {
  private readonly context: CanvasRenderingContext2D;
  private readonly curves: Path2D[];
  private readonly weights: Float32Array;
  private readonly flows: Float32Array;
  private readonly phases: Float32Array;
  private readonly pulses: Pulses;
  private readonly drawable: Shown;
  private shown: number[] = [];
  private near: ((edge: Edge) => boolean) | null = null;
  private theme: Theme = "light";
  private step = -1;
  /** When the network last made a step, and the last picture. */
  private stepped = Number.NEGATIVE_INFINITY;
  private drawn = 0;
  /** How visible the beads are. */
  private presence = 0;
  private clock = 0;

  /** `still`: whether nothing may move. */
  constructor(
    canvas: HTMLCanvasElement,
    private readonly layout: Layout,
    private readonly still: () => boolean,
  ) {
    const density = Math.min(window.devicePixelRatio || 1, 2);
    canvas.width = Math.round(layout.width * density);
    canvas.height = Math.round(layout.height * density);
    this.context = canvas.getContext("2d") as CanvasRenderingContext2D;
    this.context.setTransform(density, 0, 0, density, 0, 0);
    this.context.lineCap = "round";
    this.curves = layout.edges.map((edge) => new Path2D(curve(edge)));
    const count = layout.edges.length;
    this.weights = new Float32Array(count);
    this.flows = new Float32Array(count);
    this.phases = Float32Array.from({ length: count }, (_, i) => (i * 7.3) % SPACE);
    this.pulses = new Pulses(layout.starts);
    this.drawable = new Shown(layout.edges);
  }

  /** `feature`: what a feature in use is over the inputs. */
  paint(frame: Frame, theme: Theme, feature: (source: number) => ByteMap | null): void {
    this.theme = theme;
    if (frame.step === this.step) return;
    if (this.step >= 0 && frame.step > this.step) this.stepped = performance.now();
    this.step = frame.step;
    this.layout.edges.forEach(({ layer, source, unit }, i) => {
      this.weights[i] = frame.weight(layer, source, unit) ?? 0;
    });
    this.pulses.take(this.weights);
    this.measure(frame, feature);
    this.wake();
  }

  /** Shows only what happens on these edges; null: on all. */
  emphasise(near: ((edge: Edge) => boolean) | null): void {
    this.near = near;
  }

  remove(): void {
    cancelAnimationFrame(this.clock);
    this.clock = 0;
    this.clear();
  }

  private measure(frame: Frame, feature: (source: number) => ByteMap | null): void {
    const known = new Map<string, number>();
    this.layout.edges.forEach(({ from }, i) => {
      const key = `${from.layer} ${from.unit}`;
      let answer = known.get(key);
      if (answer === undefined) {
        const map = from.layer < 0 ? feature(from.unit) : frame.neuronMap(from.layer, from.unit);
        answer = map ? activity(map) : 0;
        known.set(key, answer);
      }
      this.flows[i] = Math.abs(this.weights[i] * answer);
    });
    toShares(this.flows, this.layout.starts);
    this.drawable.take((i) => Math.abs(this.weights[i]));
    this.shown = [...this.flows.keys()].filter((i) => !this.drawable.left[i]);
    if (this.shown.length > MOST)
      this.shown = this.shown.sort((a, b) => this.flows[b] - this.flows[a]).slice(0, MOST);
  }

  private wake(): void {
    if (this.clock) return;
    this.drawn = performance.now();
    this.clock = requestAnimationFrame(this.tick);
  }

  private readonly tick = (now: number): void => {
    const passed = Math.min(Math.max(now - this.drawn, 0), LONGEST_MS);
    this.drawn = now;
    const glows = this.pulses.fade(passed);
    const runs = now - this.stepped < REST_MS && !this.still();
    this.presence = Math.min(1, Math.max(0, this.presence + (runs ? passed : -passed) / EASE_MS));
    this.draw(passed / 1000);
    this.clock = glows || runs || this.presence > 0 ? requestAnimationFrame(this.tick) : 0;
  };

  private draw(seconds: number): void {
    const { context } = this;
    this.clear();
    for (const i of this.shown) {
      if (this.near && !this.near(this.layout.edges[i])) continue;
      const pulse = this.pulses.strength[i];
      const flow = this.flows[i];
      const width = widthAt(levelOf(this.weights[i]));
      context.strokeStyle = signColour(this.theme, this.weights[i] >= 0);
      if (pulse > 0.02) {
        context.globalAlpha = 0.38 * pulse;
        context.lineWidth = width + 1 + 7 * pulse;
        context.setLineDash([]);
        context.stroke(this.curves[i]);
      }
      this.phases[i] = (this.phases[i] + (0.35 + 0.65 * flow) * SPEED * seconds) % SPACE;
      if (this.presence === 0 || flow < 0.04) continue;
      context.globalAlpha = this.presence * (0.3 + 0.7 * flow);
      context.lineWidth = Math.max(2.6, width + 2);
      context.setLineDash([0.1, SPACE - 0.1]);
      context.lineDashOffset = -this.phases[i];
      context.stroke(this.curves[i]);
    }
    context.globalAlpha = 1;
  }

  private clear(): void {
    this.context.clearRect(0, 0, this.layout.width, this.layout.height);
  }
}
