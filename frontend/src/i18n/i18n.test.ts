import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
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

describe("in German", () => {
  beforeEach(() => {
    vi.stubGlobal("window", {});
    vi.stubGlobal("document", { documentElement: {} });
    vi.stubGlobal("navigator", { languages: ["fi", "de-DE", "en"] });
    vi.stubGlobal("location", { search: "" });
    vi.stubGlobal("localStorage", { getItem: () => null });
    vi.resetModules();
  });
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.resetModules();
  });

  it("says everything in German, and what has no German in English", async () => {
    const german = await import(".");
    expect(german.language).toBe("de");
    expect(document.documentElement.lang).toBe("de");
    expect(german.t("network.summary", { neurons: 1, parameters: 1234 })).toBe("1 Neuron · 1.234 Parameter");
    expect(german.said({ code: "field.lr", values: {}, text: "learning rate" })).toBe("Lernrate");
    expect(german.said({ code: "catalogue.new", values: {}, text: "New" })).toBe("New");
    expect(german.t("label.dropout", { rate: 0.25, layer: 1 })).toBe("Dropout 0,25, Schicht 1");
  });

  it("writes numbers with a comma", async () => {
    const { figure, rough, percent, decimal } = await import("../figures");
    expect([0.0000123, 0.0491, -1.2, 12345.6].map(figure)).toEqual(["0,000012", "0,049", "−1,200", "12.346"]);
    expect([2.5, 2e-7, 2.5e-7].map(rough)).toEqual(["2,5", "2·10⁻⁷", "2,5·10⁻⁷"]);
    expect([percent(0.975), decimal(-0.01, 1)]).toEqual(["97,5\u00a0%", "0,0"]);
    const { setting, typed } = await import("../controls/numbers");
    expect([setting(-1234), setting(0.03), typed(-0.5)]).toEqual(["−1.234", "0,03", "-0,5"]);
  });

  it("reads a comma as the decimal comma, and asks about a point that may set thousands apart", async () => {
    const { read } = await import("../controls/numbers");
    const texts = ["1,234", "0,05", "0.05", "1.5", "1.234,5", "1,234.5", "1.234.567"];
    expect(texts.map((text) => read(text, "Rate", { type: "number" }))).toEqual([
      1.234, 0.05, 0.05, 1.5, 1234.5, 1234.5, 1234567,
    ]);
    expect(read("1.234", "Rate", { type: "number" })).toBe(
      "1.234 kann 1,234 oder 1234 bedeuten: Schreib es auf eine dieser beiden Arten.",
    );
    expect(read("1.234", "Schritte", { type: "integer" })).toBe(1234);
    expect(read("1,234", "Schritte", { type: "integer" })).toBe("Schritte: muss eine ganze Zahl sein.");
    expect(read("11", "Rate", { type: "number", maximum: 0.5 })).toBe("Rate: höchstens 0,5 ist erlaubt.");
  });

  it("is asked for by the address before the browser, and by a choice", async () => {
    vi.stubGlobal("location", { search: "?lang=es-MX" });
    expect((await import(".")).language).toBe("es");
    vi.resetModules();
    vi.stubGlobal("location", { search: "?lang=xx" });
    vi.stubGlobal("localStorage", { getItem: () => "en" });
    expect((await import(".")).language).toBe("en");
  });
});
