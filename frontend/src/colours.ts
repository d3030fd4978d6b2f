/**
 * Value -> colour. Everything that is painted by the pixel goes through a table here, so that a frame costs one
 * look-up a pixel and both themes, colour blindness and contrast are dealt with in one place.
 *
 * A colour in a table is one uint32 as ImageData holds it in memory (R, G, B, A in bytes, so 0xAABBGGRR on the
 * little-endian machines that browsers run on).
 */

export type Theme = "light" | "dark";
type RGB = readonly [number, number, number];

/** Orange (negative, class 0) – neutral – blue (positive, class 1): told apart with every kind of colour blindness. */
const DIVERGING: Record<Theme, readonly RGB[]> = {
  light: [
    [234, 138, 34],
    [247, 192, 128],
    [240, 240, 238],
    [130, 186, 224],
    [26, 120, 188],
  ],
  dark: [
    [226, 134, 36],
    [138, 82, 26],
    [30, 34, 41],
    [26, 84, 134],
    [56, 142, 214],
  ],
};

/** Okabe–Ito, darkened or lightened until each has 3:1 against the panel; 0 and 1 have the hues of the scale above. */
const CLASS: Record<Theme, readonly RGB[]> = {
  light: [
    [212, 108, 0],
    [0, 110, 178],
    [0, 146, 106],
    [196, 92, 148],
    [150, 132, 0],
    [40, 144, 206],
    [176, 44, 24],
    [58, 66, 78],
    [118, 74, 176],
    [122, 84, 46],
  ],
  dark: [
    [246, 151, 42],
    [64, 152, 226],
    [24, 182, 138],
    [226, 140, 188],
    [236, 222, 84],
    [134, 208, 250],
    [240, 96, 64],
    [196, 204, 214],
    [178, 146, 244],
    [186, 146, 104],
  ],
};

const NEUTRAL: Record<Theme, RGB> = { light: DIVERGING.light[2], dark: DIVERGING.dark[2] };

export const CLASS_COUNT = 10;

function packed([red, green, blue]: RGB): number {
  return ((255 << 24) | (Math.round(blue) << 16) | (Math.round(green) << 8) | Math.round(red)) >>> 0;
}

function mixed(from: RGB, to: RGB, share: number): RGB {
  const channel = (i: 0 | 1 | 2) => from[i] + (to[i] - from[i]) * share;
  return [channel(0), channel(1), channel(2)];
}

function css([red, green, blue]: RGB): string {
  return `rgb(${Math.round(red)} ${Math.round(green)} ${Math.round(blue)})`;
}

function alongDiverging(theme: Theme, share: number): RGB {
  const stops = DIVERGING[theme];
  const place = Math.min(Math.max(share, 0), 1) * (stops.length - 1);
  const below = Math.min(Math.floor(place), stops.length - 2);
  return mixed(stops[below], stops[below + 1], place - below);
}

function tablePerTheme(make: (theme: Theme) => Uint32Array): Record<Theme, Uint32Array> {
  return { light: make("light"), dark: make("dark") };
}

/** 256 colours from full orange (0) over neutral to full blue (255). A probability * 255 is an index. */
export const diverging: Record<Theme, Uint32Array> = tablePerTheme((theme) =>
  Uint32Array.from({ length: 256 }, (_, i) => packed(alongDiverging(theme, i / 255))),
);

/** The same with only two colours, for "discretise". */
export const divergingDiscrete: Record<Theme, Uint32Array> = tablePerTheme((theme) =>
  Uint32Array.from({ length: 256 }, (_, i) => packed(alongDiverging(theme, i < 128 ? 0.12 : 0.88))),
);

/** 8 * 256 colours: class * 256 + confidence * 255. No confidence is neutral, full confidence nearly the class colour. */
export const classShades: Record<Theme, Uint32Array> = tablePerTheme((theme) =>
  Uint32Array.from({ length: CLASS_COUNT * 256 }, (_, i) =>
    packed(mixed(NEUTRAL[theme], CLASS[theme][i >> 8], 0.1 + 0.78 * ((i & 255) / 255))),
  ),
);

/** How much of the range of a symmetrical scale a map with these limits needs: at least one, so that small is pale. */
export function symmetricScale(lo: number, hi: number): number {
  const scale = Math.max(Math.abs(lo), Math.abs(hi), 1);
  return Number.isFinite(scale) ? scale : 1;
}

/**
 * Paints a map of signed values, value = lo + v/255*(hi-lo), zero always neutral.
 * @param out one colour a cell, as long as `values`
 * @param scale the magnitude that gets the full colour, by default what the map needs
 */
export function paintSigned(
  out: Uint32Array,
  values: Uint8Array,
  lo: number,
  hi: number,
  table: Uint32Array,
  scale = symmetricScale(lo, hi),
): void {
  const start = 127.5 + (127.5 * lo) / scale + 0.5;
  const slope = (hi - lo) / (2 * scale);
  for (let i = 0; i < out.length; i++) {
    const index = (start + slope * values[i]) | 0;
    out[i] = table[Math.max(0, Math.min(index, 255))];
  }
}

/** Paints a map whose bytes are indices already (a probability * 255). */
export function paintShares(out: Uint32Array, values: Uint8Array, table: Uint32Array): void {
  for (let i = 0; i < out.length; i++) out[i] = table[values[i]];
}

/** Paints a map of class indices; with no confidence each cell gets the full shade of its class. */
export function paintClasses(
  out: Uint32Array,
  classes: Uint8Array,
  confidence: Uint8Array | null,
  theme: Theme,
): void {
  const table = classShades[theme];
  for (let i = 0; i < out.length; i++) {
    out[i] = table[(classes[i] & 7) * 256 + (confidence ? confidence[i] : 255)];
  }
}

/** Paints red, then green, then blue of every cell. */
export function paintChannels(out: Uint32Array, values: Uint8Array): void {
  const n = out.length;
  for (let i = 0; i < n; i++)
    out[i] = ((255 << 24) | (values[2 * n + i] << 16) | (values[n + i] << 8) | values[i]) >>> 0;
}

/**
 * Paints a map of classes that are colours; where the network is not sure it is greyer, unless `plain`.
 * @param values class indices; without `confidence`, shares of the second of two classes
 * @param palette red, green and blue of each class
 */
export function paintPalette(
  out: Uint32Array,
  values: Uint8Array,
  confidence: Uint8Array | null,
  palette: Uint8Array,
  plain: boolean,
): void {
  for (let i = 0; i < out.length; i++) {
    const at = 3 * (confidence ? values[i] : Number(values[i] > 127));
    const sure = confidence ? confidence[i] / 255 : Math.abs(values[i] - 127.5) / 127.5;
    const share = plain ? 1 : 0.4 + 0.6 * sure;
    const channel = (k: number) => 128 + ((palette[at + k] ?? 128) - 128) * share;
    out[i] = packed([channel(0), channel(1), channel(2)]);
  }
}

/** Colour of a class as CSS text; classes beyond the eighth begin anew. */
export function classColour(theme: Theme, index: number): string {
  return css(CLASS[theme][index % CLASS_COUNT]);
}

/** Colour of a signed value as CSS text: value / scale from -1 (orange) over 0 to 1 (blue), clipped. */
export function signedColour(theme: Theme, value: number, scale = 1): string {
  return css(alongDiverging(theme, 0.5 + 0.5 * (value / scale)));
}

/** The full orange or blue of a sign, as CSS text: for lines and marks, which need contrast even when small. */
export function signColour(theme: Theme, positive: boolean): string {
  return css(CLASS[theme][positive ? 1 : 0]);
}

export const SHAPES = [
  "circle",
  "square",
  "triangle",
  "diamond",
  "plus",
  "star",
  "pentagon",
  "cross",
  "wedge",
  "burst",
] as const;

function regular(corners: number, radius = 1, inner = radius): [number, number][] {
  const every = inner === radius ? 1 : 2;
  return Array.from({ length: corners * every }, (_, i) => {
    const angle = -Math.PI / 2 + (i * 2 * Math.PI) / (corners * every);
    const reach = i % every ? inner : radius;
    return [reach * Math.cos(angle), reach * Math.sin(angle)];
  });
}

function turned(corners: [number, number][], angle: number): [number, number][] {
  const cos = Math.cos(angle);
  const sin = Math.sin(angle);
  return corners.map(([x, y]) => [x * cos - y * sin, x * sin + y * cos]);
}

const ARM = 0.36;
const PLUS: [number, number][] = [
  [-ARM, -1.05],
  [ARM, -1.05],
  [ARM, -ARM],
  [1.05, -ARM],
  [1.05, ARM],
  [ARM, ARM],
  [ARM, 1.05],
  [-ARM, 1.05],
  [-ARM, ARM],
  [-1.05, ARM],
  [-1.05, -ARM],
  [-ARM, -ARM],
];

/** Corners of each class's shape around the origin, areas about equal; null is the circle. Canvas y points down. */
const OUTLINES: readonly ([number, number][] | null)[] = [
  null,
  turned(regular(4, 1.22), Math.PI / 4),
  regular(3, 1.35),
  regular(4, 1.25),
  PLUS,
  regular(5, 1.4, 0.62),
  regular(5, 1.15),
  turned(PLUS, Math.PI / 4),
  turned(regular(3, 1.35), Math.PI),
  regular(4, 1.5, 0.55),
];

/** Adds the shape of a class to a canvas path (call beginPath before, fill or stroke after). */
export function traceShape(path: CanvasPath, index: number, x: number, y: number, radius: number): void {
  const corners = OUTLINES[index % CLASS_COUNT];
  if (!corners) {
    path.moveTo(x + radius, y);
    path.arc(x, y, radius, 0, 2 * Math.PI);
    return;
  }
  corners.forEach(([dx, dy], i) => {
    if (i) path.lineTo(x + dx * radius, y + dy * radius);
    else path.moveTo(x + dx * radius, y + dy * radius);
  });
  path.closePath();
}

/** The same shape as the `d` of an SVG path around (0, 0), for legends. */
export function shapePath(index: number, radius: number): string {
  const corners = OUTLINES[index % CLASS_COUNT];
  if (!corners) {
    return `M${-radius},0a${radius},${radius} 0 1 0 ${2 * radius},0a${radius},${radius} 0 1 0 ${-2 * radius},0Z`;
  }
  return `M${corners.map(([x, y]) => `${(x * radius).toFixed(2)},${(y * radius).toFixed(2)}`).join("L")}Z`;
}
