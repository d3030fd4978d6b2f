import { expect, it } from "vitest";
import { enlargedBy, unitsBetween } from "./drawn";
import { arrange } from "./layout";

const { columns } = arrange(
  { features: 2, used: [0, 1], hidden: [3, 256, 4, 4], outputs: 1 },
  { width: 390, height: 380, coarse: true },
);
const units = (from: number, to: number) => unitsBetween(columns, from, to).map((each) => each.length);

it("names those that stand in the picture, and of a wide layer those that there is room for", () => {
  const shown = columns[2].places.length;
  expect(shown).toBeLessThan(256);
  expect(units(0, 1e4)).toEqual([3, shown, 4, 4, 1]);
  expect(unitsBetween(columns, 0, 1e4)[0]).toEqual([0, 1, 2]);
});

it("names those of the columns that are on the screen and next to it", () => {
  const [features, first, second, third, , output] = columns;
  expect(units(features.x, features.x + 1)).toEqual([3, 0, 0, 0, 0]);
  expect(units(second.x, second.x + 1)).toEqual([3, second.places.length, 4, 0, 0]);
  const between = (first.x + second.x) / 2;
  expect(units(between, between + 1)).toEqual([3, second.places.length, 0, 0, 0]);
  expect(units(third.x, output.x)).toEqual([0, second.places.length, 4, 4, 1]);
  expect(units(1e5, 1e5 + 1)).toEqual([0, 0, 0, 0, 0]);
});

it("has the neuron of a card enlarged, and no other", () => {
  const anchor = {} as Element;
  expect(enlargedBy({ what: "neuron", layer: 1, unit: 200, anchor })).toEqual({ layer: 1, unit: 200 });
  expect(enlargedBy({ what: "bias", layer: 1, unit: 200, anchor })).toBeNull();
  expect(enlargedBy(null)).toBeNull();
});
