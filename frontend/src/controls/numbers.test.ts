import { describe, expect, it } from "vitest";
import type { Parameter } from "../types";
import { bounds, logSteps, setting, typed, withValue } from "./numbers";

const parameter = (more: Partial<Parameter>): Parameter => ({
  name: "lr",
  label: "Learning rate",
  help: "",
  type: "number",
  family: null,
  default: 0.03,
  nullable: false,
  minimum: null,
  maximum: null,
  exclusive_minimum: null,
  exclusive_maximum: null,
  scale: "linear",
  choices: null,
  ...more,
});

describe("logSteps", () => {
  it("goes from 0.00001 to 10 in ones and threes", () => {
    const steps = logSteps(parameter({ exclusive_minimum: 0, maximum: 100 }));
    expect(steps.slice(0, 3)).toEqual([0.00001, 0.00003, 0.0001]);
    expect(steps.slice(-3)).toEqual([1, 3, 10]);
  });

  it("stays within the bounds", () => {
    expect(logSteps(parameter({ minimum: 0.01, maximum: 0.5 }))).toEqual([0.01, 0.03, 0.1, 0.3]);
  });

  it("offers off and zero where they are allowed", () => {
    expect(logSteps(parameter({ nullable: true, minimum: 0 })).slice(0, 3)).toEqual([null, 0, 0.00001]);
  });

  it("offers whole numbers for a whole number", () => {
    const steps = logSteps(parameter({ type: "integer", minimum: 1, maximum: 10_000 }));
    expect(steps.slice(0, 5)).toEqual([1, 2, 5, 10, 20]);
    expect(steps.at(-1)).toBe(1000);
  });

  it("shows any other value that is set, in its place", () => {
    expect(withValue([null, 0, 1, 3], 2)).toEqual([null, 0, 1, 2, 3]);
    expect(withValue([1, 3], 3)).toEqual([1, 3]);
  });
});

describe("numbers for people", () => {
  it("writes settings without noise", () => {
    expect([0.00001, 0.1 + 0.2, 1e-8, 100, 0].map(setting)).toEqual(["0.00001", "0.3", "1e-8", "100", "0"]);
  });

  it("sets thousands apart and writes a true minus, where nobody types", () => {
    expect([1234, 10_000, -0.5, -1500].map(setting)).toEqual(["1,234", "10,000", "−0.5", "−1,500"]);
    expect([1234, -0.5].map(typed)).toEqual(["1234", "-0.5"]);
  });

  it("tells bounds with what they include", () => {
    expect(bounds(parameter({ exclusive_minimum: 0, maximum: 100 }))).toBe("0 < lr ≤ 100");
    expect(bounds(parameter({}))).toBe("");
  });
});
