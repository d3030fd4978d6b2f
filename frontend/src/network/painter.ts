// Paints a frame onto the drawn network: maps, biases and edges. It knows no framework, and a frame goes no further.
import { type Look, paintMap } from "../maps";
import type { ByteMap, Frame } from "../wire";
import { CanvasEdges, type EdgePainter, LEVELS, levelOf, SVG_MOST, SvgEdges } from "./edges";
import type { Edge, Layout, Unit } from "./layout";
import { Signals } from "./signals";

/** Does a frame show the network that is drawn? Between a change and its first frame it does not. */
export function fits({ layers }: Frame, inputs: number[], widths: number[]): boolean {
  return (
    layers.length === widths.length &&
    layers.every((layer, at) => layer.inputs === inputs[at] && layer.width === widths[at])
  );
}

/** The mask of dropout changes no more often, whatever the frames do: it would flicker. */
const MASK_MS = 450;
const STATES = ["", "saturated", "dead"];

interface Bias extends Unit {
  level: number;
}

export class NetworkPainter {
  private readonly maps = new Map<HTMLCanvasElement, Unit>();
  private readonly biases = new Map<HTMLElement, Bias>();
  private readonly marks = new Map<HTMLElement, Unit>();
  private masked: number = Number.NEGATIVE_INFINITY;
  private masking: ReturnType<typeof setTimeout> | undefined;
  private edges: EdgePainter | null = null;
  private signals: Signals | null = null;
  /** What a feature in use is over the inputs, by its place. */
  feature: (source: number) => ByteMap | null = () => null;

  /** `still`: whether nothing may move; `masks`: whether to show what dropout silences. */
  constructor(
    private readonly still: () => boolean,
    private readonly masks: () => boolean = () => false,
  ) {}

  /** Registers the canvas of a unit; returns what takes it out again. */
  map(canvas: HTMLCanvasElement, layer: number, unit: number): () => void {
    this.maps.set(canvas, { layer, unit });
    return () => this.maps.delete(canvas);
  }

  /** Registers the dot of a bias. Its size and colour are CSS, by `--strength` and its class. */
  bias(dot: HTMLElement, layer: number, unit: number): () => void {
    this.biases.set(dot, { layer, unit, level: -1 });
    return () => this.biases.delete(dot);
  }

  /**
   * Registers the box of a unit, or with layer -1 of a feature in use. How it fares is CSS, by `data-state`
   * (saturated, dead) and `data-dropped`.
   */
  mark(box: HTMLElement, layer: number, unit: number): () => void {
    this.marks.set(box, { layer, unit });
    return () => {
      this.marks.delete(box);
      box.removeAttribute("data-dropped");
    };
  }

  /**
   * Draws the edges of a new layout; `group` and `canvas` lie over each other, one of them gets the edges, and `over`
   * what happens on them.
   */
  draw(layout: Layout, group: SVGGElement, canvas: HTMLCanvasElement, over: HTMLCanvasElement): void {
    this.remove();
    this.signals = new Signals(over, layout, this.still);
    this.edges =
      layout.edges.length <= SVG_MOST
        ? new SvgEdges(group, layout.edges, layout.weight)
        : new CanvasEdges(canvas, layout.edges, layout.width, layout.height);
  }

  remove(): void {
    this.edges?.remove();
    this.signals?.remove();
    this.edges = this.signals = null;
  }

  /** Whether an edge is drawn. */
  readonly isShown = (edge: number): boolean => !this.edges?.shown.left[edge];

  /** Shows the edges of one unit only, or all again with null. */
  emphasise(of: Unit | null, used: number[]): void {
    const source = of && of.layer < 0 ? used.indexOf(of.unit) : of?.unit;
    const near =
      of && source !== -1
        ? (edge: Edge) =>
            (edge.layer === of.layer && edge.unit === of.unit) ||
            (edge.from.layer === of.layer && edge.from.unit === source)
        : null;
    this.edges?.emphasise(near);
    this.signals?.emphasise(near);
  }

  /** Shows these edges as frozen. */
  freeze(frozen: (edge: Edge) => boolean): void {
    this.edges?.freeze(frozen);
  }

  paint(frame: Frame, look: Look): void {
    for (const [canvas, { layer, unit }] of this.maps) {
      const map = frame.neuronMap(layer, unit);
      if (map) paintMap(canvas, map, look);
    }
    for (const [dot, bias] of this.biases) {
      const level = levelOf(frame.bias(bias.layer, bias.unit) ?? 0);
      if (level === bias.level) continue;
      bias.level = level;
      dot.classList.toggle("negative", level > 0 && level <= LEVELS);
      dot.classList.toggle("positive", level > LEVELS);
      dot.style.setProperty("--strength", String((level > LEVELS ? level - LEVELS : level) / LEVELS));
    }
    for (const [box, { layer, unit }] of this.marks) {
      const state = STATES[layer < 0 ? 0 : frame.unitState(layer, unit)];
      if ((box.dataset.state ?? "") !== state) {
        if (state) box.dataset.state = state;
        else box.removeAttribute("data-state");
      }
    }
    this.paintMask(frame);
    this.edges?.paint(frame, look.theme);
    this.signals?.paint(frame, look.theme, this.feature);
  }

  private paintMask(frame: Frame): void {
    clearTimeout(this.masking);
    const wait = this.masked + MASK_MS - performance.now();
    if (wait > 0) {
      this.masking = setTimeout(() => this.paintMask(frame), wait);
      return;
    }
    let any = false;
    for (const [box, { layer, unit }] of this.marks) {
      const dropped = this.masks() && frame.dropped(layer, unit);
      box.toggleAttribute("data-dropped", dropped ? dropped.first : false);
      any ||= Boolean(dropped);
    }
    if (any) this.masked = performance.now();
  }
}
