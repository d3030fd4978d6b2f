// Where everything of the network picture stands. Pure geometry, in CSS pixels; the picture's corner is (0, 0).
import { sourcesOf } from "./shape";

/** Of a neuron or a feature: layer -1 are the features, 0 … the hidden layers, then the output layer. */
export interface Unit {
  layer: number;
  unit: number;
}

export interface Place extends Unit {
  x: number;
  y: number;
}

export interface Column {
  layer: number;
  /** The centre of the column. */
  x: number;
  tile: number;
  places: Place[];
  /** How many units there is no room for, and where the tile stands that says so. */
  rest: number;
  restY: number;
}

/** What makes the button of a unit reachable; spread onto it. */
export interface Reach {
  "data-at": string;
  tabindex: 0 | -1;
  onkeydown: (event: KeyboardEvent) => void;
  onfocus: () => void;
  onblur: () => void;
  onpointerenter: () => void;
  onpointerleave: () => void;
}

/** The drawn edges between two columns. An edge's place in the flat arrays is its number. */
export interface Edge {
  /** 0 is the layer of weights into the first hidden layer. */
  layer: number;
  source: number;
  unit: number;
  /** Where it comes from: a unit, or a feature by its place among those in use. */
  from: Unit;
  x0: number;
  y0: number;
  x1: number;
  y1: number;
  /** Of a way past layers: how high it runs past them, and from where to where. */
  past?: { y: number; from: number; to: number };
}

export interface Layout {
  width: number;
  height: number;
  /** Width that the header of a layer can take. */
  header: number;
  /** How thick edges are, 1 where tiles are as large as on a small screen. */
  weight: number;
  columns: Column[];
  edges: Edge[];
  /** Edges of weight layer l are edges[starts[l]] up to edges[starts[l + 1]]. */
  starts: number[];
  /** What is added as it is, as the `d` of SVG paths. */
  added: string[];
}

export interface Shape {
  /** All features on offer, and the places among them of those in use, in the order of the weights' rows. */
  features: number;
  used: number[];
  /** The features that are not in use are not shown. */
  fixed?: boolean;
  /** All features are shown, however many. */
  unfolded?: boolean;
  hidden: number[];
  outputs: number;
  /** The kinds of the shortcuts of all layers, the output's last; none where it does not say. */
  shortcuts?: string[];
}

export interface Room {
  width: number;
  height: number;
  /** A finger needs more room than a mouse. */
  coarse: boolean;
  /** In a lesson's frame, where all has to be small. */
  dense?: boolean;
  /** Large type: the names of the features need more room. */
  large?: boolean;
}

const LABEL = 50; // left of the features, for their names
const LABEL_LARGE = 84;
const MARGIN = 10;
const FEATURES_MOST = 16; // rows; 64 pixels of a digit would hide all else
const TILE = 44; // on a small screen
const WAYS = 30; // above and below the tiles, for ways past them

function tileSize(rows: number, height: number, smallest: number, largest: number, gap: number): number {
  return Math.max(smallest, Math.min(largest, Math.floor(height / rows) - gap));
}

/** The largest tile: it grows with the room, up to where columns would touch. */
function growing({ hidden }: Shape, { width, height, large }: Room): number {
  return Math.floor(
    Math.max(TILE, Math.min(height / (large ? 4.6 : 6.5), (0.4 * width) / (hidden.length + 2), 112)),
  );
}

export function arrange(shape: Shape, room: Room): Layout {
  const [smallest, largest, gap, pitchLeast] = room.coarse
    ? [36, 44, 8, 154]
    : room.dense
      ? [20, 36, 4, 72]
      : [20, growing(shape, room), 4, 72];
  const offered = shape.fixed
    ? shape.used.filter((at) => at >= 0)
    : Array.from({ length: shape.features }, (_, feature) => feature);
  const featureRows = Math.min(offered.length, shape.unfolded ? offered.length : FEATURES_MOST);
  const featureTile = tileSize(
    featureRows,
    room.height,
    smallest,
    shape.fixed ? largest : 0.82 * largest,
    gap,
  );
  const height = Math.max(room.height, featureRows * (featureTile + gap));

  // A wide layer shows its first units only: more would be too small to read.
  const rowsMost = Math.max(2, Math.min(12, Math.floor(height / (smallest + 1.5 * gap))));
  const rowsOf = (units: number) => Math.min(units, rowsMost);
  const widths = [...shape.hidden, shape.outputs];
  const tile = tileSize(Math.max(...widths.map(rowsOf), 4), height, smallest, largest, gap);

  const headerHalf = room.coarse ? 75 : 46;
  const left = MARGIN + (room.large ? LABEL_LARGE : LABEL) + featureTile / 2;
  const right = Math.max(tile / 2, headerHalf) + MARGIN;
  const gaps = shape.hidden.length + 1;
  const pitch = Math.max(pitchLeast, (room.width - left - right) / gaps);
  const width = Math.max(room.width, left + right + pitch * gaps);

  const column = (layer: number, x: number, units: number, size: number, most: number): Column => {
    const shown = units > most ? most - 1 : units;
    const rows = Math.min(units, most);
    const step = Math.min(height / rows, size * 1.55);
    const first = (height - step * (rows - 1)) / 2;
    const places = Array.from({ length: shown }, (_, unit) => ({ layer, unit, x, y: first + unit * step }));
    return { layer, x, tile: size, places, rest: units - shown, restY: first + shown * step };
  };
  const features = column(-1, left, offered.length, featureTile, featureRows);
  features.places.forEach((place, row) => {
    place.unit = offered[row];
  });
  const columns = [features];
  widths.forEach((units, layer) => {
    columns.push(column(layer, left + pitch * (layer + 1), units, tile, rowsMost));
  });

  const { edges, starts } = edgesOf(shape, columns, height);
  return {
    width,
    height,
    header: Math.min(pitch - 4, room.coarse ? 150 : 104),
    weight: Math.max(1, tile / TILE),
    columns,
    edges,
    starts,
    added: addedOf(shape, columns),
  };
}

/** The edges between columns, layer after layer, those past a layer after the others, and where each layer begins. */
function edgesOf(shape: Shape, columns: Column[], height: number): Pick<Layout, "edges" | "starts"> {
  const edges: Edge[] = [];
  const starts: number[] = [];
  const widths = [...shape.hidden, shape.outputs];
  widths.forEach((_, layer) => {
    starts.push(edges.length);
    const to = columns[layer + 1];
    const sources = sourcesOf(layer, shape.used.length, widths, shape.shortcuts ?? []).map(
      (from, source) => ({
        from,
        source,
      }),
    );
    const near = sources.filter(({ from }) => from.layer === layer - 1);
    for (const { from, source } of [...near, ...sources.filter((one) => !near.includes(one))]) {
      const column = columns[from.layer + 1];
      const place = placeOf(shape, columns, from);
      if (!place) continue;
      const past =
        from.layer < layer - 1 ? way(columns.slice(from.layer + 2, layer + 1), place, height) : undefined;
      for (const target of to.places) {
        const [x0, x1] = [place.x + column.tile / 2, target.x - to.tile / 2];
        edges.push({ layer, source, unit: target.unit, from, x0, y0: place.y, x1, y1: target.y, past });
      }
    }
  });
  starts.push(edges.length);
  return { edges, starts };
}

/** Where a unit stands, or the feature at this place among those in use. */
function placeOf({ used }: Shape, columns: Column[], { layer, unit }: Unit): Place | undefined {
  const shown = layer < 0 ? used[unit] : unit;
  return columns[layer + 1].places.find((place) => place.unit === shown);
}

/** The way from a place past these columns, above or below their tiles, whichever is nearer; each has its own height. */
function way(columns: Column[], { y }: Place, height: number): NonNullable<Edge["past"]> {
  const tops = columns.map(({ places, tile }) => places[0].y - tile / 2);
  const bottoms = columns.map(({ places, tile, rest, restY }) =>
    rest ? restY + tile / 4 : places[places.length - 1].y + tile / 2,
  );
  const [top, bottom] = [Math.min(...tops), Math.max(...bottoms)];
  const above = y <= height / 2;
  const room = Math.min(above ? top : height - bottom, WAYS);
  const share = 0.2 + 0.7 * Math.abs(1 - (2 * y) / height);
  const [first, last] = [columns[0], columns[columns.length - 1]];
  return {
    y: above ? top - room * share : bottom + room * share,
    from: first.x - first.tile / 2,
    to: last.x + last.tile / 2,
  };
}

/** What residual layers add: from unit to unit, in a bow over the edge between them. */
function addedOf(shape: Shape, columns: Column[]): string[] {
  return shape.hidden.flatMap((width, layer) => {
    if (shape.shortcuts?.[layer] !== "residual") return [];
    const to = columns[layer + 1];
    return Array.from({ length: width }, (_, unit) => {
      const place = placeOf(shape, columns, { layer: layer - 1, unit });
      const target = to.places.find((one) => one.unit === unit);
      if (!place || !target) return "";
      const [x0, x1] = [place.x + columns[layer].tile / 2, target.x - to.tile / 2];
      const [bow, third] = [0.42 * to.tile, (x1 - x0) / 3];
      const ends = [place.y - bow / 2, target.y - bow / 2];
      return `M${at(x0, ends[0])}C${at(x0 + third, ends[0] - bow)} ${at(x1 - third, ends[1] - bow)} ${at(x1, ends[1])}`;
    }).filter(Boolean);
  });
}

const at = (x: number, y: number) => `${x.toFixed(1)},${y.toFixed(1)}`;

/** Level at both ends. */
function bend(x0: number, y0: number, x1: number, y1: number): string {
  const middle = (x0 + x1) / 2;
  return `C${at(middle, y0)} ${at(middle, y1)} ${at(x1, y1)}`;
}

/** An edge as the `d` of an SVG path: level at both ends, and past layers. */
export function curve({ x0, y0, x1, y1, past }: Edge): string {
  const start = `M${at(x0, y0)}`;
  if (!past) return start + bend(x0, y0, x1, y1);
  return `${start}${bend(x0, y0, past.from, past.y)}H${past.to.toFixed(1)}${bend(past.to, past.y, x1, y1)}`;
}

/** How far along a bend a point is, and how steep the bend is there: all bends between two columns are alike. */
function along(x0: number, x1: number, x: number): { fraction: number; slope: number } {
  const across = (x - x0) / (x1 - x0);
  let low = 0;
  let high = 1;
  for (let i = 0; i < 20; i++) {
    const t = (low + high) / 2;
    if (1.5 * t * (1 - t) + t ** 3 < across) low = t;
    else high = t;
  }
  const t = (low + high) / 2;
  return {
    fraction: t * t * (3 - 2 * t),
    slope: (6 * t * (1 - t)) / Math.max(1.5 - 3 * t + 3 * t * t, 1e-6) / (x1 - x0),
  };
}

/**
 * The number of the edge nearest to a point, or -1 when none is within `reach` pixels. Of ways past layers, only those
 * count that are `shown`.
 */
export function nearestEdge(
  layout: Layout,
  x: number,
  y: number,
  reach: number,
  shown: (edge: number) => boolean = () => true,
): number {
  let best = -1;
  let least = reach;
  const take = (i: number, y0: number, y1: number, { fraction, slope }: ReturnType<typeof along>) => {
    const distance = Math.abs(y - y0 - (y1 - y0) * fraction) / Math.hypot(1, slope * (y1 - y0));
    if (distance >= least) return;
    least = distance;
    best = i;
  };
  for (let layer = 0; layer + 1 < layout.starts.length; layer++) {
    const [start, end] = [layout.starts[layer], layout.starts[layer + 1]];
    const first = layout.edges[start];
    if (first && !first.past && x >= first.x0 && x <= first.x1) {
      const here = along(first.x0, first.x1, x);
      for (let i = start; i < end && !layout.edges[i].past; i++)
        take(i, layout.edges[i].y0, layout.edges[i].y1, here);
    }
    for (let i = end - 1; i >= start && layout.edges[i].past; i--) {
      const { x0, y0, x1, y1, past } = layout.edges[i];
      if (!past || x < x0 || x > x1 || !shown(i)) continue;
      if (x < past.from) take(i, y0, past.y, along(x0, past.from, x));
      else if (x <= past.to) take(i, past.y, past.y, LEVEL);
      else take(i, past.y, y1, along(past.to, x1, x));
    }
  }
  return best;
}

const LEVEL = { fraction: 0, slope: 0 };
