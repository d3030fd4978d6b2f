import { expect, it } from "vitest";
import { History } from "./history";
import { MetricsMessage } from "./wire";

function metrics(columns: string[], rows: number[][], stride = 1): MetricsMessage {
  return new MetricsMessage({ columns, stride }, { samples: Float64Array.from(rows.flat()) }, {});
}
const COLUMNS = ["index", "step", "epoch", "train_loss"];

it("keeps samples in columns", () => {
  const history = new History();
  history.append(
    metrics(COLUMNS, [
      [0, 0, 0, 0.7],
      [1, 1, 0.5, 0.6],
    ]),
  );
  expect(history.step).toEqual([0, 1]);
  expect(history.epoch).toEqual([0, 0.5]);
  expect(history.series.get("train_loss")).toEqual([0.7, 0.6]);
  expect(history.last).toBe(1);
});

it("takes a sample that comes twice only once", () => {
  const history = new History();
  history.append(
    metrics(COLUMNS, [
      [0, 0, 0, 0.7],
      [1, 1, 0.5, 0.6],
    ]),
  );
  history.append(
    metrics(COLUMNS, [
      [1, 1, 0.5, 0.6],
      [2, 2, 1, 0.5],
    ]),
  );
  expect(history.step).toEqual([0, 1, 2]);
});

it("fills columns that come or go with NaN", () => {
  const history = new History();
  history.append(metrics(COLUMNS, [[0, 0, 0, 0.7]]));
  history.append(metrics(["index", "step", "epoch", "test_mae"], [[1, 1, 1, 0.2]]));
  expect(history.series.get("train_loss")).toEqual([0.7, Number.NaN]);
  expect(history.series.get("test_mae")).toEqual([Number.NaN, 0.2]);
});

it("forgets what the server forgets when the stride grows", () => {
  const history = new History();
  history.append(
    metrics(
      COLUMNS,
      [0, 1, 2, 3].map((n) => [n, n, n, n]),
    ),
  );
  history.append(
    metrics(
      COLUMNS,
      [
        [4, 4, 4, 4],
        [5, 5, 5, 5],
        [6, 6, 6, 6],
      ],
      2,
    ),
  );
  expect(history.step).toEqual([0, 2, 4, 6]);
  expect(history.series.get("train_loss")).toEqual([0, 2, 4, 6]);
  expect(history.last).toBe(6);
});
