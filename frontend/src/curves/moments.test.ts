import { expect, it } from "vitest";
import { History } from "../history";
import { nearest, neighbour, together } from "./moments";

function measured(rows: [step: number, loss: number | null][]): History {
  const history = new History();
  for (const [step, test_loss] of rows) history.add(step, step / 10, { test_loss });
  return history;
}

it("goes from row to row, and from between two of them to the next", () => {
  const history = measured([0, 10, 20, 40].map((step) => [step, 1]));
  expect([neighbour(history, 20, 1), neighbour(history, 20, -1)]).toEqual([40, 10]);
  expect([neighbour(history, 15, 1), neighbour(history, 15, -1)]).toEqual([20, 10]);
  expect([neighbour(history, 40, 1), neighbour(history, 0, -1), neighbour(history, 40, -10)]).toEqual([
    40, 0, 0,
  ]);
  expect(nearest(history, 39)).toBe(4);
});

it("compares two runs where both have been measured", () => {
  const one = measured([
    [0, 0.9],
    [10, 0.5],
    [20, 0.3],
    [30, 0.2],
  ]);
  const other = measured([
    [0, 0.9],
    [10, 0.6],
    [20, null],
    [25, 0.4],
  ]);
  expect(together(one, other, "test_loss")).toEqual({ epoch: 1, values: [0.5, 0.6] });
  expect(together(one, new History(), "test_loss")).toBeNull();
});
