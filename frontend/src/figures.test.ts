import { expect, it } from "vitest";
import { decimal, figure, percent, rough } from "./figures";

it("has one style from the smallest to the largest", () => {
  expect([0.0049, 0.0491, -1.2, 123.44, 12345.6, 0, null].map(figure)).toEqual([
    "0.0049",
    "0.049",
    "−1.200",
    "123.4",
    "12,346",
    "0",
    "–",
  ]);
});

it("writes small and large numbers as people do: they were 1.7e−6 and 4.7e33", () => {
  expect([0.0000017, -0.0000123, 0.00052, 2e-9, 4.7e33, -1e6].map(figure)).toEqual([
    "0.0000017",
    "−0.000012",
    "0.00052",
    "almost 0",
    "4.7·10³³",
    "−10⁶",
  ]);
});

it("writes no more on an axis than it needs", () => {
  expect([2, -0.5, 1500, 4e33, 2.5e-7, 0.0001, 1e-5, 1e5].map(rough)).toEqual([
    "2",
    "−0.5",
    "1,500",
    "4·10³³",
    "2.5·10⁻⁷",
    "0.0001",
    "10⁻⁵",
    "10⁵",
  ]);
});

it("has no negative zero, and no space before the percent sign", () => {
  expect(decimal(-0.01, 1)).toBe("0.0");
  expect(percent(0.975)).toBe("97.5%");
  expect(percent(1, 0)).toBe("100%");
});
