import { expect, it } from "vitest";
import { explained, said, t } from ".";

const text = (code: string, values = {}) => ({ code, values, text: "in English" });

it("says what the server says by its key, a plural by its count", () => {
  expect(said(text("label.neurons_added", { count: 1 }))).toBe("+1 neuron");
  expect(said(text("label.neurons_added", { count: 2 }))).toBe("+2 neurons");
});

it("says texts in texts, lists, and numbers as people write them", () => {
  const component = text("label.field_number", { field: "lr", value: 0.1 });
  expect(said(text("label.loss", { component }))).toBe("loss: lr 0.1");
  expect(said(text("label.features", { features: ["x1", "x2"] }))).toBe("x1, x2");
  expect(said(text("label.field_number", { field: "points", value: 12345 }))).toBe("points 12,345");
});

it("keeps the English of what it has no translation for", () => {
  expect(said(text("label.of_tomorrow"))).toBe("in English");
  expect(explained({ detail: "No connection" })).toBe("No connection");
});

it("leaves a placeholder without a value as it is", () => {
  expect(t("network.layer")).toBe("Layer {layer}");
  expect(t("network.layer", { layer: 2 })).toBe("Layer 2");
});
