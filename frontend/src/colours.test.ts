import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  CLASS_COUNT,
  classColour,
  diverging,
  paintChannels,
  paintClasses,
  paintPalette,
  paintShares,
  paintSigned,
  SHAPES,
  shapePath,
  signedColour,
  symmetricScale,
  type Theme,
} from "./colours";
import { TEST, TRAIN } from "./curves/palette";
import { channels as bytesOf, chroma, contrast as contrastOf, EYES, distance as seenApart } from "./eyes";

const THEMES: Theme[] = ["light", "dark"];
const PANEL: Record<Theme, number[]> = { light: [255, 255, 255], dark: [24, 28, 34] };

function bytes(colour: number): number[] {
  return [...new Uint8Array(new Uint32Array([colour]).buffer)];
}

function channels(css: string): number[] {
  return (css.match(/\d+/g) ?? []).map(Number);
}

function luminance(rgb: number[]): number {
  const [r, g, b] = rgb.map((c) =>
    c / 255 <= 0.03928 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4,
  );
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: number[], b: number[]): number {
  const [dark, bright] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (bright + 0.05) / (dark + 0.05);
}

describe.each(THEMES)("in the %s theme", (theme) => {
  it("is orange below zero, blue above and neutral at zero", () => {
    const [red, , blue] = bytes(diverging[theme][0]);
    expect(red).toBeGreaterThan(blue);
    const end = bytes(diverging[theme][255]);
    expect(end[2]).toBeGreaterThan(end[0]);
    const middle = bytes(diverging[theme][128]);
    expect(Math.abs(middle[0] - middle[2])).toBeLessThan(16);
    expect(middle[3]).toBe(255);
  });

  it("gives every class 3:1 against the panel", () => {
    for (let k = 0; k < CLASS_COUNT; k++) {
      expect(contrast(channels(classColour(theme, k)), PANEL[theme])).toBeGreaterThanOrEqual(3);
    }
  });

  it("has a colour and a shape for each class that no other class has", () => {
    const all = Array.from({ length: CLASS_COUNT }, (_, k) => classColour(theme, k));
    expect(new Set(all).size).toBe(CLASS_COUNT);
    expect(new Set(SHAPES.map((_, k) => shapePath(k, 4))).size).toBe(CLASS_COUNT);
  });

  it("paints classes by confidence, from neutral to the class", () => {
    const out = new Uint32Array(3);
    paintClasses(out, Uint8Array.of(2, 2, 3), Uint8Array.of(0, 255, 255), theme);
    const distance = (a: number[], b: number[]) => Math.hypot(...a.slice(0, 3).map((c, i) => c - b[i]));
    const colour = channels(classColour(theme, 2));
    expect(distance(bytes(out[1]), colour)).toBeLessThan(distance(bytes(out[0]), colour));
    expect(out[1]).not.toBe(out[2]);
  });
});

describe("pictures", () => {
  const colour = (value: number) => [value & 255, (value >> 8) & 255, (value >> 16) & 255];

  it("are painted from three channels", () => {
    const out = new Uint32Array(2);
    paintChannels(out, Uint8Array.of(10, 20, 30, 40, 50, 60));
    expect([...out].map(colour)).toEqual([
      [10, 30, 50],
      [20, 40, 60],
    ]);
  });

  it("are painted in the colours that classes are, greyer where it is not sure", () => {
    const out = new Uint32Array(2);
    const palette = Uint8Array.of(0, 0, 0, 255, 128, 0);
    paintPalette(out, Uint8Array.of(1, 0), Uint8Array.of(255, 255), palette, false);
    expect([...out].map(colour)).toEqual([
      [255, 128, 0],
      [0, 0, 0],
    ]);
    paintPalette(out, Uint8Array.of(255, 120), null, palette, true);
    expect([...out].map(colour)).toEqual([
      [255, 128, 0],
      [0, 0, 0],
    ]);
    paintPalette(out, Uint8Array.of(0, 0), Uint8Array.of(0, 0), palette, false);
    expect(colour(out[0])).toEqual([77, 77, 77]);
  });
});

describe("a signed map", () => {
  it("keeps zero neutral even when its range is lopsided", () => {
    const out = new Uint32Array(3);
    // value = -1 + v/255*4: v = 0 is -1, v = 64 about 0, v = 255 is 3
    paintSigned(out, Uint8Array.of(0, 64, 255), -1, 3, diverging.light);
    expect(out[2]).toBe(diverging.light[255]);
    expect(Math.abs(diverging.light.indexOf(out[1]) - 128)).toBeLessThanOrEqual(1);
    expect(diverging.light.indexOf(out[0])).toBe(Math.floor(127.5 - 127.5 / 3 + 0.5));
  });

  it("stays pale for small values and copes with a flat or a broken range", () => {
    expect(symmetricScale(-0.1, 0.2)).toBe(1);
    expect(symmetricScale(-8, 2)).toBe(8);
    expect(symmetricScale(Number.NaN, 1)).toBe(1);
    const out = new Uint32Array(1);
    paintSigned(out, Uint8Array.of(9), 0, 0, diverging.light);
    expect(out[0]).toBe(diverging.light[128]);
  });
});

it("paints a probability by its own index", () => {
  const out = new Uint32Array(2);
  paintShares(out, Uint8Array.of(0, 255), diverging.dark);
  expect([...out]).toEqual([diverging.dark[0], diverging.dark[255]]);
});

it("clips a signed colour at its scale", () => {
  expect(signedColour("light", 5, 1)).toBe(signedColour("light", 1, 1));
  expect(signedColour("light", -1)).not.toBe(signedColour("light", 1));
});

// The page's accent was a blue, hardly to be told from the blue of a value.
describe.each(THEMES)("the accent in the %s theme", (theme) => {
  const css = readFileSync(new URL("app.css", import.meta.url), "utf8");
  const block = css.slice(css.indexOf(theme === "dark" ? '[data-theme="dark"] {' : ":root {"));
  const token = (name: string) => block.match(new RegExp(`--${name}: (#[0-9a-f]{6});`))?.[1] ?? "";

  it.each(["accent", "focus"])("%s has no hue of its own", (name) => {
    expect(chroma(token(name))).toBeLessThan(0.04);
  });

  it.each(Object.keys(EYES))("is no value, class or curve with %s", (eyes) => {
    const others = [
      token("negative"),
      token("positive"),
      token("class-0"),
      token("class-1"),
      TRAIN[theme],
      TEST[theme],
    ];
    for (const other of others) {
      expect(seenApart(token("accent"), other, eyes)).toBeGreaterThan(0.12);
    }
  });

  it("has 4.5:1 under its text and against the panel", () => {
    expect(contrastOf(token("accent"), bytesOf(token("accent-text")))).toBeGreaterThanOrEqual(4.5);
    expect(contrastOf(token("accent"), bytesOf(token("panel")))).toBeGreaterThanOrEqual(4.5);
    expect(contrastOf(token("text"), bytesOf(token("accent-soft")))).toBeGreaterThanOrEqual(4.5);
  });
});
