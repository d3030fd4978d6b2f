import { describe, expect, it } from "vitest";
import { parts, ratioOf, rounded } from "./elastic";

describe("an elastic net", () => {
  it("divides its strength by its ratio", () => {
    expect(parts(0.03, 0.3)).toEqual({ l1: 0.009, l2: 0.021 });
    expect(parts(0.1, 0)).toEqual({ l1: 0, l2: 0.1 });
    expect(parts(0.1, 1)).toEqual({ l1: 0.1, l2: 0 });
  });

  it("is read back from what it is made of", () => {
    for (const strength of [0.0001, 0.003, 1, 10])
      for (const ratio of [0, 0.05, 0.35, 0.5, 1]) {
        const { l1, l2 } = parts(strength, ratio);
        expect(rounded(l1 + l2)).toBe(strength);
        expect(ratioOf(l1, l2)).toBe(ratio);
      }
    expect(ratioOf(0, 0)).toBeNull();
  });
});
