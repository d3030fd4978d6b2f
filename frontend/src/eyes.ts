// How colours are seen, with full colour vision and without: for the tests of palettes.

export type Vector = number[];

// Machado, Oliveira, Fernandes 2009, severity 1, on linear sRGB.
export const EYES: Record<string, Vector[]> = {
  "full colour vision": [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};
// Ottosson's Oklab, from linear sRGB.
const TO_LMS = [
  [0.4122214708, 0.5363325363, 0.0514459929],
  [0.2119034982, 0.6806995451, 0.1073969566],
  [0.0883024619, 0.2817188376, 0.6299787005],
];
const TO_LAB = [
  [0.2104542553, 0.793617785, -0.0040720468],
  [1.9779984951, -2.428592205, 0.4505937099],
  [0.0259040371, 0.7827717662, -0.808675766],
];

const times = (matrix: Vector[], v: Vector) =>
  matrix.map((row) => row.reduce((sum, m, i) => sum + m * v[i], 0));
/** "rgb(1 2 3)" or "#010203" as three bytes. */
export function channels(css: string): Vector {
  const hex = css.match(/^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i);
  return hex ? hex.slice(1).map((byte) => Number.parseInt(byte, 16)) : (css.match(/\d+/g) ?? []).map(Number);
}
const linear = (rgb: Vector) =>
  rgb.map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));

function oklab(css: string, eyes: string): Vector {
  const seen = times(EYES[eyes], linear(channels(css))).map((c) => Math.min(Math.max(c, 0), 1));
  return times(TO_LAB, times(TO_LMS, seen).map(Math.cbrt));
}
export function distance(one: string, two: string, eyes: string): number {
  const other = oklab(two, eyes);
  return Math.hypot(...oklab(one, eyes).map((c, i) => c - other[i]));
}
/** How colourful it is: 0 is grey. */
export function chroma(css: string): number {
  const [, a, b] = oklab(css, "full colour vision");
  return Math.hypot(a, b);
}
export function hue(css: string): number {
  const [, a, b] = oklab(css, "full colour vision");
  return (Math.atan2(b, a) * 180) / Math.PI;
}
export function contrast(css: string, panel: Vector): number {
  const luminance = (rgb: Vector) => times([[0.2126, 0.7152, 0.0722]], linear(rgb))[0];
  const [dark, bright] = [luminance(channels(css)), luminance(panel)].sort((x, y) => x - y);
  return (bright + 0.05) / (dark + 0.05);
}
