// Where everything of the network picture stands. Pure geometry, in CSS pixels; the picture's corner is (0, 0).

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
  x0: number;
  y0: number;
  x1: number;
  y1: number;
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

  const { edges, starts } = edgesOf(shape, columns);
  return {
    width,
    height,
    header: Math.min(pitch - 4, room.coarse ? 150 : 104),
    weight: Math.max(1, tile / TILE),
    columns,
    edges,
    starts,
  };
}

/** The edges between columns, layer after layer, and where each layer begins. */
function edgesOf(shape: Shape, columns: Column[]): Pick<Layout, "edges" | "starts"> {
  const edges: Edge[] = [];
  const starts: number[] = [];
  columns.slice(1).forEach((to, layer) => {
    starts.push(edges.length);
    const from = columns[layer];
    const sources: (Place | undefined)[] = layer
      ? from.places
      : shape.used.map((at) => from.places.find(({ unit }) => unit === at));
    sources.forEach((place, source) => {
      if (!place) return;
      for (const target of to.places) {
        edges.push({
          layer,
          source,
          unit: target.unit,
          x0: place.x + from.tile / 2,
          y0: place.y,
          x1: target.x - to.tile / 2,
          y1: target.y,
        });
      }
    });
  });
  starts.push(edges.length);
  return { edges, starts };
}

/** An edge as the `d` of an SVG path: level at both ends. */
export function curve({ x0, y0, x1, y1 }: Edge): string {
  const middle = ((x0 + x1) / 2).toFixed(1);
  return `M${x0.toFixed(1)},${y0.toFixed(1)}C${middle},${y0.toFixed(1)} ${middle},${y1.toFixed(1)} ${x1.toFixed(1)},${y1.toFixed(1)}`;
}

/**
 * The number of the edge nearest to a point, or -1 when none is within `reach` pixels. All curves between two columns
 * are at the same fraction of their height at the same x, so one root serves them all.
 */
export function nearestEdge(layout: Layout, x: number, y: number, reach: number): number {
  let best = -1;
  let least = reach;
  for (let layer = 0; layer + 1 < layout.starts.length; layer++) {
    const first = layout.edges[layout.starts[layer]];
    if (!first || x < first.x0 || x > first.x1) continue;
    const across = (x - first.x0) / (first.x1 - first.x0);
    let low = 0;
    let high = 1;
    for (let i = 0; i < 20; i++) {
      const t = (low + high) / 2;
      if (1.5 * t * (1 - t) + t ** 3 < across) low = t;
      else high = t;
    }
    const t = (low + high) / 2;
    const fraction = t * t * (3 - 2 * t);
    const slope = (6 * t * (1 - t)) / Math.max(1.5 - 3 * t + 3 * t * t, 1e-6) / (first.x1 - first.x0);
    for (let i = layout.starts[layer]; i < layout.starts[layer + 1]; i++) {
      const { y0, y1 } = layout.edges[i];
      const distance = Math.abs(y - y0 - (y1 - y0) * fraction) / Math.hypot(1, slope * (y1 - y0));
      if (distance < least) {
        least = distance;
        best = i;
      }
    }
  }
  return best;
}
