import { describe, expect, it } from "vitest";
import { signColour, type Theme } from "../colours";
import { contrast, distance, EYES, hue, type Vector } from "../eyes";
import { depthColour, TEST, TRAIN } from "./palette";

const PANEL: Record<Theme, Vector> = { light: [255, 255, 255], dark: [24, 28, 34] };

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
