import { describe, expect, it } from "vitest";
import { signColour, type Theme } from "../colours";
import { depthColour, TEST, TRAIN } from "./palette";

type Vector = number[];
const PANEL: Record<Theme, Vector> = { light: [255, 255, 255], dark: [24, 28, 34] };

// Machado, Oliveira, Fernandes 2009, severity 1, on linear sRGB.
const EYES: Record<string, Vector[]> = {
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
const channels = (css: string) => (css.match(/\d+/g) ?? []).map(Number);
const linear = (rgb: Vector) =>
  rgb.map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));

function oklab(css: string, eyes: string): Vector {
  const seen = times(EYES[eyes], linear(channels(css))).map((c) => Math.min(Math.max(c, 0), 1));
  return times(TO_LAB, times(TO_LMS, seen).map(Math.cbrt));
}
function distance(one: string, two: string, eyes: string): number {
  const other = oklab(two, eyes);
  return Math.hypot(...oklab(one, eyes).map((c, i) => c - other[i]));
}
function hue(css: string): number {
  const [, a, b] = oklab(css, "full colour vision");
  return (Math.atan2(b, a) * 180) / Math.PI;
}
function contrast(css: string, panel: Vector): number {
  const luminance = (rgb: Vector) => times([[0.2126, 0.7152, 0.0722]], linear(rgb))[0];
  const [dark, bright] = [luminance(channels(css)), luminance(panel)].sort((x, y) => x - y);
  return (bright + 0.05) / (dark + 0.05);
}

describe.each<Theme>(["light", "dark"])("the curves in the %s theme", (theme) => {
  const layers = [0, 1, 2].map((layer) => depthColour(theme, layer, 3));

  it.each(Object.keys(EYES))("can be told apart with %s", (eyes) => {
    expect(distance(TRAIN[theme], TEST[theme], eyes)).toBeGreaterThan(0.15);
    for (const [i, one] of layers.entries())
      for (const other of layers.slice(i + 1)) expect(distance(one, other, eyes)).toBeGreaterThan(0.09);
  });

  it("are neither orange nor blue, which are values and classes", () => {
    for (const colour of [TRAIN[theme], TEST[theme], ...layers]) {
      for (const positive of [false, true]) {
        const apart = Math.abs(hue(colour) - hue(signColour(theme, positive)));
        expect(Math.min(apart, 360 - apart)).toBeGreaterThan(45);
      }
    }
  });

  it("have 3:1 against the panel", () => {
    for (const colour of [TRAIN[theme], TEST[theme], ...layers])
      expect(contrast(colour, PANEL[theme])).toBeGreaterThanOrEqual(3);
  });
});
