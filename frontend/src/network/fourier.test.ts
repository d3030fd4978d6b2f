import { describe, expect, it } from "vitest";
import { wavesIn, withWaves } from "./fourier";

describe("a set of waves", () => {
  it("comes after the other features, and goes without them", () => {
    const some = withWaves(["x1", "sin(x1)"], 4);
    expect(some).toEqual(["x1", "sin(x1)", "rff1", "rff2", "rff3", "rff4"]);
    expect(wavesIn(some)).toBe(4);
    expect(withWaves(some, 2)).toEqual(["x1", "sin(x1)", "rff1", "rff2"]);
    expect(withWaves(some, 0)).toEqual(["x1", "sin(x1)"]);
  });

  it("leaves something to see where there is nothing else", () => {
    expect(withWaves(["rff1"], 0)).toEqual(["x1"]);
  });
});
