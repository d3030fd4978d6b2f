import { expect, it } from "vitest";
import { Frame } from "../wire";
import { type Place, sentenceAt, tick } from "./readout";

const layers = [{ inputs: 2, width: 1 }];
const map = Uint8Array.of(0, 255, 51, 204);
const frame = (arrays: ConstructorParameters<typeof Frame>[1]) =>
  new Frame(
    { layers },
    { decision: map, decision_range: Float32Array.of(-5, 5), ...arrays },
    { decision: [2, 2], neurons: [1, 2, 2] },
  );
const place: Place = {
  at: [3, 3],
  extent: 6,
  axes: [
    { name: "x1", range: null },
    { name: "x2", range: null },
  ],
  labels: ["no", "yes"],
  unit: null,
};
const confusion = new Int32Array(8);

it("says 0 in the middle, where rounding leaves next to nothing", () => {
  expect(tick(0, { name: "y", range: [-1.1, 1.1 + 4e-16] }, 6)).toBe("0");
});

it("says how likely the second of two classes is", () => {
  expect(sentenceAt(place, frame({ confusion }))).toBe("x1 3.0, x2 3.0: 1.00 yes");
});

it("says which of several classes is chosen, and how sure the network is", () => {
  const several = frame({ confusion, decision: Uint8Array.of(0, 0, 0, 0), confidence: map });
  expect(sentenceAt(place, several)).toBe("x1 3.0, x2 3.0: 1.00 no");
});

it("says the value of a regression, and that of the unit that is shown", () => {
  expect(sentenceAt({ ...place, at: [-3, -3] }, frame({}))).toBe("x1 −3.0, x2 −3.0: −3.00");
  const shown = frame({ neurons: map, neurons_range: Float32Array.of(0, 1) });
  expect(sentenceAt({ ...place, unit: { layer: 0, unit: 0 } }, shown)).toBe("x1 3.0, x2 3.0: 1.00");
});

it("says where it is before there is a frame", () => {
  expect(sentenceAt(place, null)).toBe("x1 3.0, x2 3.0");
});

it("speaks of the visitor's own units", () => {
  const axis = { name: "petal", range: [0, 12] as [number, number] };
  expect(tick(-6, axis, 6)).toBe("0");
  expect(tick(6, axis, 6)).toBe("12");
});
