// Paints a frame onto the drawn network: maps, biases and edges. It knows no framework, and a frame goes no further.
import { diverging, divergingDiscrete, paintSigned, type Theme } from "../colours";
import type { LayerShape } from "../types";
import type { Frame } from "../wire";
import { CanvasEdges, type EdgePainter, LEVELS, levelOf, SVG_MOST, SvgEdges } from "./edges";
import type { Layout } from "./layout";

interface Look {
  theme: Theme;
  discretise: boolean;
}

let scratch: ImageData | null = null;

/** Paints one square map of signed values; the canvas takes the size of the map, CSS scales it. */
export function paintMap(
  canvas: HTMLCanvasElement,
  values: Uint8Array,
  lo: number,
  hi: number,
  size: number,
  look: Look,
): void {
  if (canvas.width !== size || canvas.height !== size) {
    canvas.width = size;
    canvas.height = size;
  }
  // One buffer for all maps of a size: putImageData copies at once.
  if (scratch?.width !== size) scratch = new ImageData(size, size);
  const table = (look.discretise ? divergingDiscrete : diverging)[look.theme];
  paintSigned(new Uint32Array(scratch.data.buffer), values, lo, hi, table);
  canvas.getContext("2d")?.putImageData(scratch, 0, 0);
}

/** The place of a unit among the maps of a frame. */
export function mapIndex(layers: LayerShape[], layer: number, unit: number): number {
  let index = unit;
  for (let before = 0; before < layer; before++) index += layers[before].width;
  return index;
}

/** Paints the map of one unit of a frame; false when the frame has no such unit. */
export function paintUnit(
  canvas: HTMLCanvasElement,
  frame: Frame,
  layer: number,
  unit: number,
  look: Look,
): boolean {
  const [, size] = frame.shape("neurons");
  const index = mapIndex(frame.layers, layer, unit);
  const range = frame.f32("neurons_range");
  if (!size || 2 * index + 1 >= range.length) return false;
  const values = frame.u8("neurons").subarray(index * size * size, (index + 1) * size * size);
  paintMap(canvas, values, range[2 * index], range[2 * index + 1], size, look);
  return true;
}

/** Does a frame show the network that is drawn? Between a change and its first frame it does not. */
export function fits(frame: Frame, inputs: number, widths: number[]): boolean {
  const layers = frame.layers;
  return (
    layers.length === widths.length &&
    layers[0].inputs === inputs &&
    widths.every((width, layer) => layers[layer].width === width)
  );
}

interface Bias {
  layer: number;
  unit: number;
  level: number;
}

export class NetworkPainter {
  private readonly maps = new Map<HTMLCanvasElement, { layer: number; unit: number }>();
  private readonly biases = new Map<HTMLElement, Bias>();
  private edges: EdgePainter | null = null;

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

  /** Draws the edges of a new layout; `group` and `canvas` lie over each other, one of them gets the edges. */
  draw(layout: Layout, group: SVGGElement, canvas: HTMLCanvasElement): void {
    this.edges?.remove();
    this.edges =
      layout.edges.length <= SVG_MOST
        ? new SvgEdges(group, layout.edges)
        : new CanvasEdges(canvas, layout.edges, layout.width, layout.height);
  }

  /** Shows the edges of one unit only, or all again with null. */
  emphasise(of: { layer: number; unit: number } | null, used: number[]): void {
    const source = of && of.layer < 0 ? used.indexOf(of.unit) : of?.unit;
    if (!of || source === -1) {
      this.edges?.emphasise(null);
      return;
    }
    this.edges?.emphasise(
      (edge) =>
        (edge.layer === of.layer && edge.unit === of.unit) ||
        (edge.layer === of.layer + 1 && edge.source === source),
    );
  }

  paint(frame: Frame, look: Look): void {
    for (const [canvas, { layer, unit }] of this.maps) paintUnit(canvas, frame, layer, unit, look);
    for (const [dot, bias] of this.biases) {
      const level = levelOf(frame.f32(`bias.${bias.layer}`)[bias.unit] ?? 0);
      if (level === bias.level) continue;
      bias.level = level;
      dot.classList.toggle("negative", level > 0 && level <= LEVELS);
      dot.classList.toggle("positive", level > LEVELS);
      dot.style.setProperty("--strength", String((level > LEVELS ? level - LEVELS : level) / LEVELS));
    }
    if (this.edges) {
      const weights = frame.layers.map((_, layer) => frame.f32(`weight.${layer}`));
      this.edges.paint(weights, look.theme);
    }
  }
}
