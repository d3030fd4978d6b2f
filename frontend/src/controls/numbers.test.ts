import { describe, expect, it } from "vitest";
import type { Parameter } from "../types";
import { bounds, logSteps, read, readList, setting, typed, withValue } from "./numbers";

const parameter = (more: Partial<Parameter>): Parameter => ({
  name: "lr",
  code: "field.lr",
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
  longest: null,
  scale: "linear",
  choices: null,
  inputs: null,
  examples: [],
  formula: null,
  first: null,
  in_card: false,
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
    expect([0.00001, 0.1 + 0.2, 100, 0].map(setting)).toEqual(["0.00001", "0.3", "100", "0"]);
  });

  it("sets thousands apart and writes a true minus, where nobody types", () => {
    expect([1234, 10_000, -0.5, -1500].map(setting)).toEqual(["1,234", "10,000", "−0.5", "−1,500"]);
    expect([1234, -0.5].map(typed)).toEqual(["1234", "-0.5"]);
  });

  it("writes every digit and no exponent: the largest seed was 4.294967295e9", () => {
    expect([4294967295, 1e-8, 12345678.9].map(setting)).toEqual(["4,294,967,295", "0.00000001", "12345680"]);
    expect([4294967295, 1e-8].map(typed)).toEqual(["4294967295", "0.00000001"]);
    expect(read(typed(1e-8), "Epsilon", parameter({}))).toBe(1e-8);
  });

  it("tells bounds in words: they were 0 < clip_norm ≤ 1,000", () => {
    const clipping = parameter({ name: "clip_norm", exclusive_minimum: 0, maximum: 1000 });
    expect(bounds(clipping)).toBe("more than 0, at most 1,000");
    expect(bounds(parameter({ minimum: 1, maximum: 256 }))).toBe("from 1 to 256");
    expect(bounds(parameter({ minimum: 0, exclusive_maximum: 1 }))).toBe("at least 0, less than 1");
    expect(bounds(parameter({}))).toBe("");
  });
});

describe("a number that is typed", () => {
  const rate = parameter({ exclusive_minimum: 0, maximum: 10_000 });
  const width = parameter({ type: "integer", minimum: 1, maximum: 256 });
  const steps = parameter({ type: "integer", maximum: 10_000_000 });
  const any = parameter({});

  it("may have a decimal comma: 0,05 became 5", () => {
    const texts = ["0,05", "0.05", ",5", "1,5", " 2,25 ", "1,5e-3", "0,125", "12,3456", "1234,567", "−0,5"];
    expect(texts.map((text) => read(text, "Rate", any))).toEqual([
      0.05, 0.05, 0.5, 1.5, 2.25, 0.0015, 0.125, 12.3456, 1234.567, -0.5,
    ]);
  });

  it("may have its thousands set apart", () => {
    const texts = ["1,234.5", "1.234,5", "1,234,567", "1.234.567", "1 234,5", "1 000 000"];
    expect(texts.map((text) => read(text, "Rate", any))).toEqual([
      1234.5, 1234.5, 1234567, 1234567, 1234.5, 1000000,
    ]);
    expect(["1,234", "10 000", "1.234.567", "1e3"].map((text) => read(text, "Steps", steps))).toEqual([
      1234, 10_000, 1234567, 1000,
    ]);
  });

  it("is refused where it may mean two numbers", () => {
    expect(read("1,234", "Rate", any)).toBe("1,234 may mean 1.234 or 1234: write it without the comma.");
    expect(read("-12,500", "Rate", any)).toBe(
      "-12,500 may mean -12.500 or -12500: write it without the comma.",
    );
    expect(read("1.234", "Rate", any)).toBe(1.234);
  });

  it("is refused out of bounds, with the bound", () => {
    expect(read("300", "Neurons", width)).toBe("Neurons must be at most 256.");
    expect(read("0", "Neurons", width)).toBe("Neurons must be at least 1.");
    expect(read("0", "Rate", rate)).toBe("Rate must be more than 0.");
    expect(read("1", "Share", parameter({ exclusive_maximum: 1 }))).toBe("Share must be less than 1.");
    expect(read("1e400", "Rate", any)).toBe("Rate must be a finite number.");
  });

  it("is refused where it is none", () => {
    for (const text of ["a lot", "1,2,3", "1..2", "0x10", "5%", "1e", "-", "NaN", "Infinity", "1,23,456"])
      expect(read(text, "Rate", any), text).toBe("Rate must be a number.");
    for (const text of ["2.5", "2,5", "1.000", "many"])
      expect(read(text, "Neurons", width), text).toBe("Neurons must be a whole number.");
    expect(read("  ", "Rate", any)).toBeNull();
  });
});

describe("a list", () => {
  const bounds = { type: "numbers", exclusive_minimum: 0, maximum: 1000 } as const;

  it("is read as it is written", () => {
    expect(readList(typed([1, 2.5]), "Weights", bounds)).toEqual([1, 2.5]);
    expect(readList("1 3;0.5", "Weights", bounds)).toEqual([1, 3, 0.5]);
    expect(readList(" ", "Weights", bounds)).toBeNull();
  });

  it("is refused where one of its numbers is", () => {
    expect(readList("1; 0", "Weights", bounds)).toContain("Weights");
    expect(readList("1; x", "Weights", bounds)).toContain("Weights");
  });
});
