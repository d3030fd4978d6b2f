// Paints the edges. Strength is cut into levels, and only an edge whose level changed is touched.
import { signColour, type Theme } from "../colours";
import type { Frame } from "../wire";
import { curve, type Edge } from "./layout";

export const LEVELS = 24;
/** Beyond this number of edges one canvas is cheaper than as many SVG paths. */
export const SVG_MOST = 800;

/**
 * The look of a weight: 0 is no strength, 1 … LEVELS negative, LEVELS + 1 … 2 * LEVELS positive. Strength saturates
 * softly, so that early small weights differ visibly and late large ones do not flood the picture.
 */
export function levelOf(weight: number): number {
  const strength = 1 - Math.exp(-Math.abs(weight) / 1.6);
  const level = Math.min(LEVELS, Math.ceil(strength * LEVELS - 0.25));
  if (!(level > 0)) return 0;
  return weight < 0 ? level : LEVELS + level;
}

/** The look of an edge, or the one of before where a frame does not have its weight. */
function levelIn(frame: Frame, { layer, source, unit }: Edge, before: number): number {
  const weight = frame.weight(layer, source, unit);
  return weight === undefined ? before : levelOf(weight);
}

const strengthAt = (level: number) => (level > LEVELS ? level - LEVELS : level) / LEVELS;
/** Of the line, in pixels. */
export const widthAt = (level: number) => 0.6 + 4.4 * strengthAt(level) ** 1.3;
const opacityAt = (level: number) => 0.14 + 0.76 * strengthAt(level);

const WIDTHS = Array.from({ length: 2 * LEVELS + 1 }, (_, level) => widthAt(level));
const OPACITIES = Array.from({ length: 2 * LEVELS + 1 }, (_, level) => opacityAt(level).toFixed(2));

/** So many ways past layers are drawn into each layer: those with the largest weights. */
export const WAYS_MOST = 16;
/** Their lines are thinner than others. */
const WAY = 0.6;

const sizeOf = (frame: Frame, { layer, source, unit }: Edge) =>
  Math.abs(frame.weight(layer, source, unit) ?? 0);

/** Which edges are drawn: all from layer to layer, and the strongest of those past layers. */
export class Shown {
  /** 1 for an edge that is not drawn. */
  readonly left: Uint8Array;
  private readonly ways: number[][];

  constructor(edges: Edge[]) {
    this.left = new Uint8Array(edges.length);
    const layers = new Map<number, number[]>();
    edges.forEach(({ layer, past }, i) => {
      if (past) layers.set(layer, [...(layers.get(layer) ?? []), i]);
    });
    this.ways = [...layers.values()].filter((ways) => ways.length > WAYS_MOST);
  }

  take(sizeOf: (edge: number) => number): void {
    for (const ways of this.ways) {
      const least = ways.map(sizeOf).sort((a, b) => b - a)[WAYS_MOST - 1];
      for (const i of ways) this.left[i] = Number(sizeOf(i) < least);
    }
  }
}

export interface EdgePainter {
  readonly shown: Shown;
  paint(frame: Frame, theme: Theme): void;
  /** Lets the other edges fade; null ends it. */
  emphasise(near: ((edge: Edge) => boolean) | null): void;
  /** Breaks the lines of these edges. */
  freeze(frozen: (edge: Edge) => boolean): void;
  remove(): void;
}
/** Of the line of a frozen edge, as in the style of the others. */
const BROKEN = [7, 4];

export class SvgEdges implements EdgePainter {
  readonly shown: Shown;
  private readonly paths: SVGPathElement[];
  private readonly levels: Int8Array;

  constructor(
    private readonly group: SVGGElement,
    private readonly edges: Edge[],
    private readonly weight = 1,
  ) {
    this.paths = edges.map((edge) => {
      const path = document.createElementNS(group.namespaceURI, "path") as SVGPathElement;
      path.setAttribute("d", curve(edge));
      path.setAttribute("data-testid", `edge-${edge.layer}-${edge.source}-${edge.unit}`);
      return path;
    });
    this.shown = new Shown(edges);
    this.levels = new Int8Array(edges.length).fill(-1);
    group.replaceChildren(...this.paths);
  }

  paint(frame: Frame): void {
    this.shown.take((i) => sizeOf(frame, this.edges[i]));
    for (let i = 0; i < this.paths.length; i++) {
      if (this.edges[i].past) this.paths[i].toggleAttribute("data-left", this.shown.left[i] > 0);
      const edge = this.edges[i];
      const before = this.levels[i];
      const level = levelIn(frame, edge, before);
      if (level === before) continue;
      this.levels[i] = level;
      const path = this.paths[i];
      if (before < 0 || level > LEVELS !== before > LEVELS) {
        path.setAttribute("class", level > LEVELS ? "positive" : "negative");
      }
      const weight = this.edges[i].past ? WAY * this.weight : this.weight;
      path.setAttribute("stroke-width", (WIDTHS[level] * weight).toFixed(2));
      path.setAttribute("stroke-opacity", OPACITIES[level]);
    }
  }

  emphasise(near: ((edge: Edge) => boolean) | null): void {
    this.group.classList.toggle("emphasised", near !== null);
    this.paths.forEach((path, i) => {
      path.toggleAttribute("data-near", near?.(this.edges[i]) ?? false);
    });
  }

  freeze(frozen: (edge: Edge) => boolean): void {
    this.paths.forEach((path, i) => {
      path.toggleAttribute("data-frozen", frozen(this.edges[i]));
    });
  }

  remove(): void {
    this.group.classList.remove("emphasised");
    this.group.replaceChildren();
  }
}

export class CanvasEdges implements EdgePainter {
  readonly shown: Shown;
  private readonly levels: Int8Array;
  private readonly curves: Path2D[];
  private theme: Theme | null = null;
  private near: ((edge: Edge) => boolean) | null = null;
  private frozen: (edge: Edge) => boolean = () => false;

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly edges: Edge[],
    width: number,
    height: number,
  ) {
    const density = Math.min(window.devicePixelRatio || 1, 2);
    canvas.width = Math.round(width * density);
    canvas.height = Math.round(height * density);
    this.context.setTransform(density, 0, 0, density, 0, 0);
    this.shown = new Shown(edges);
    this.levels = new Int8Array(edges.length).fill(-1);
    this.curves = edges.map((edge) => new Path2D(curve(edge)));
  }

  private get context(): CanvasRenderingContext2D {
    return this.canvas.getContext("2d") as CanvasRenderingContext2D;
  }

  paint(frame: Frame, theme: Theme): void {
    let changed = theme !== this.theme;
    this.theme = theme;
    this.shown.take((i) => sizeOf(frame, this.edges[i]));
    for (let i = 0; i < this.edges.length; i++) {
      const level = levelIn(frame, this.edges[i], this.levels[i]);
      if (level !== this.levels[i]) {
        this.levels[i] = level;
        changed = true;
      }
    }
    if (changed) this.draw(theme);
  }

  emphasise(near: ((edge: Edge) => boolean) | null): void {
    this.near = near;
    if (this.theme) this.draw(this.theme);
  }

  freeze(frozen: (edge: Edge) => boolean): void {
    this.frozen = frozen;
    if (this.theme) this.draw(this.theme);
  }

  /** The strong ones last and so on top. One path for many curves would be slower: overlaps cost. */
  private draw(theme: Theme): void {
    const context = this.context;
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    const [negative, positive] = [signColour(theme, false), signColour(theme, true)];
    const order = Array.from(this.curves.keys()).sort(
      (a, b) => strengthAt(this.levels[a]) - strengthAt(this.levels[b]),
    );
    for (const i of order) {
      if (this.near ? !this.near(this.edges[i]) : this.shown.left[i]) continue;
      const level = this.levels[i];
      if (level < 0) continue;
      context.strokeStyle = level > LEVELS ? positive : negative;
      context.lineWidth = widthAt(level) * (this.edges[i].past ? WAY : 1);
      context.globalAlpha = opacityAt(level);
      context.setLineDash(this.frozen(this.edges[i]) ? BROKEN : []);
      context.stroke(this.curves[i]);
    }
    context.globalAlpha = 1;
  }

  remove(): void {
    this.context.clearRect(0, 0, this.canvas.width, this.canvas.height);
  }
}
