import { expect, it } from "vitest";
import { decimal, figure, percent, rough } from "./figures";

it("has one style from the smallest to the largest", () => {
  expect([0.0000123, 0.0049, 0.0491, -1.2, 123.44, 12345.6, 4.7e33, 0, null].map(figure)).toEqual([
    "1.2e−5",
    "0.0049",
    "0.049",
    "−1.200",
    "123.4",
    "12,346",
    "4.7e33",
    "0",
    "–",
  ]);
});

it("writes no more on an axis than it needs", () => {
  expect([2, -0.5, 1500, 4e33, 2.5e-7].map(rough)).toEqual(["2", "−0.5", "1,500", "4e33", "2.5e−7"]);
});

it("has no negative zero, and no space before the percent sign", () => {
  expect(decimal(-0.01, 1)).toBe("0.0");
  expect(percent(0.975)).toBe("97.5%");
  expect(percent(1, 0)).toBe("100%");
});
