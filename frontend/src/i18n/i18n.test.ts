import { describe, expect, it } from "vitest";
import type { Text } from "../types";
import { explained, joined, said, t } from ".";

describe("what the server says", () => {
  it("is said in the words of the page", () => {
    const values = { file: "a.csv", limit: 10000 };
    expect(said({ code: "table.too_many_rows", values, text: "" })).toBe(
      '"a.csv" has more than 10,000 rows, which is the limit.',
    );
    expect(explained({ code: "rule.less_than_equal", values: { le: 10000 }, detail: "" })).toBe(
      "must be at most 10000",
    );
  });

  it("has parts with texts in them", () => {
    const change = { code: "catalogue.relu", values: {}, text: "ReLU" };
    const parts: Text[] = [
      { code: "label.layer", values: { layer: 2, change }, text: "" },
      { code: "label.layers_added", values: { count: 1 }, text: "" },
      { code: "label.layers_removed", values: { count: 2 }, text: "" },
    ];
    expect(joined(parts)).toBe("layer 2: ReLU, +1 layer, −2 layers");
  });

  it("counts each thing for itself", () => {
    expect(t("network.summary", { neurons: 1, parameters: 1234 })).toBe("1 neuron · 1,234 parameters");
    expect(t("network.layer_more", { layer: 2, count: 1 })).toBe("Layer 2: 1 neuron. More settings");
    const values = { features: ["x3", "x4"], count: 2 };
    expect(said({ code: "effect.features_added", values, text: "" })).toBe(
      "Features x3, x4 added; their outgoing weights are zero.",
    );
  });

  it("is said in its own English where the page does not know the code", () => {
    expect(said({ code: "effect.of_the_future", values: {}, text: "Something new." })).toBe("Something new.");
    expect(explained({ detail: "No answer" })).toBe("No answer");
  });

  it("shows numbers as people write them", () => {
    expect(t("network.layer", { layer: 0.1 + 0.2 })).toBe("Layer 0.3");
    expect(t("rule.less_than_equal", { le: 4294967295 })).toBe("must be at most 4294967295");
  });
});
