import { expect, it } from "vitest";
import { Rate } from "./rate";

function after(seconds: number, each: number, wanted: number): number | null {
  const rate = new Rate();
  let said: number | null = null;
  for (let second = 0; second <= seconds; second++) said = rate.below(wanted, second * each, second * 1000);
  return said;
}

it("says nothing while training keeps up", () => {
  expect(after(8, 60, 60)).toBeNull();
  expect(after(8, 55, 60)).toBeNull();
  expect(after(8, 1, 1)).toBeNull();
});

it("says how fast it is when it does not", () => expect(after(8, 10, 60)).toBeCloseTo(10));

it("waits until it has seen enough", () => expect(after(2, 10, 60)).toBeNull());

it("begins anew after a reset", () => {
  const rate = new Rate();
  for (let second = 0; second <= 5; second++) rate.below(60, second * 10, second * 1000);
  expect(rate.below(60, 0, 6000)).toBeNull();
});
