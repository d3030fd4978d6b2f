import { describe, expect, it } from "vitest";
import {
  apart,
  colourOf,
  moved,
  paint,
  RATES,
  SCALES,
  spans,
  ticks,
  valuesAt,
  WHOLE,
  zoomed,
} from "./window";

const ONE = ["1.000000000", "1.000000000"];

describe("the window of the map of trainability", () => {
  it("keeps the place under the pointer where it is", () => {
    const closer = zoomed(WHOLE, 0.5, [0.25, 0.75]);
    expect(closer.x1 - closer.x0).toBeCloseTo((WHOLE.x1 - WHOLE.x0) / 2);
    expect(closer.x0 + (closer.x1 - closer.x0) * 0.25).toBeCloseTo(WHOLE.x0 + (WHOLE.x1 - WHOLE.x0) * 0.25);
    expect(closer.y0 + (closer.y1 - closer.y0) * 0.75).toBeCloseTo(WHOLE.y0 + (WHOLE.y1 - WHOLE.y0) * 0.75);
  });

  it("stays where the server has networks", () => {
    const far = zoomed(moved(WHOLE, 5, 5), 100, [0.5, 0.5]);
    const { rates, scales } = spans(far);
    expect([rates.low / RATES[0], rates.high / RATES[1]].map((ratio) => ratio.toFixed(9))).toEqual(ONE);
    expect([scales.low / SCALES[0], scales.high / SCALES[1]].map((ratio) => ratio.toFixed(9))).toEqual(ONE);
    expect(rates.high).toBeLessThanOrEqual(RATES[1]);
    expect(scales.high).toBeLessThanOrEqual(SCALES[1]);
  });

  it("says what a pixel stands for, rows from the top", () => {
    const { rate, scale } = valuesAt(WHOLE, 2, 0, 1);
    expect(rate).toBeCloseTo(10 ** (-3 + 5 * 0.75));
    expect(scale).toBeCloseTo(10 ** (-2 + 3 * 0.75));
  });

  it("has round numbers on its axes, at any depth", () => {
    expect(ticks(WHOLE.y0, WHOLE.y1).map((tick) => tick.toPrecision(1))).toEqual([
      "0.01",
      "0.1",
      "1",
      "1e+1",
    ]);
    expect(ticks(Math.log(0.99), Math.log(6))).toEqual([1, 2, 5]);
    expect(ticks(0.001, 0.002)).toHaveLength(3);
  });

  it("lets a network of a coarse level stand for its neighbours", () => {
    expect([apart(0, 0), apart(32, 16), apart(8, 16), apart(3, 16)]).toEqual([16, 16, 8, 1]);
    const image = new Uint32Array(32 * 32);
    paint(image, 32, "light", [0, 16], [0.1, -0.1]);
    expect(new Set(image.slice(0, 16))).toEqual(new Set([colourOf("light", 0.1)]));
    expect(image[31]).toBe(colourOf("light", -0.1));
    expect(image[15 * 32]).toBe(colourOf("light", 0.1));
    expect(image[16 * 32]).toBe(0);
    paint(image, 32, "light", [1], [0.9]);
    expect(image[0]).toBe(colourOf("light", 0.1));
    expect(image[1]).toBe(colourOf("light", 0.9));
  });
});
