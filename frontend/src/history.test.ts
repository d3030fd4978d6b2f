import { readFileSync } from "node:fs";
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
  expect(history.mean("train_loss")).toEqual([0.7, 0.6]);
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
  expect(history.mean("train_loss")).toEqual([0.7, Number.NaN]);
  expect(history.mean("test_mae")).toEqual([Number.NaN, 0.2]);
});

interface Golden {
  viewers: {
    header: { columns: string[]; stride: number };
    arrays: Record<string, { values: (number | null)[] }>;
  }[][];
  step: number[];
  epoch: number[];
  series: Record<string, [mean: (number | null)[], low: (number | null)[], high: (number | null)[]]>;
}
const golden: Golden = JSON.parse(
  readFileSync(new URL("../../tests/golden/curves.json", import.meta.url)).toString(),
);
const nulls = (values: number[] = []) => values.map((value) => (Number.isNaN(value) ? null : value));

it.each([0, 1])("holds what the server holds, however often it has looked (viewer %i)", (viewer) => {
  const history = new History();
  for (const { header, arrays } of golden.viewers[viewer]) {
    const numbers = Object.entries(arrays).map(([name, { values }]) => [
      name,
      Float64Array.from(values, (value) => value ?? Number.NaN),
    ]);
    history.append(new MetricsMessage(header, Object.fromEntries(numbers), {}));
  }
  expect(history.step).toEqual(golden.step);
  expect(history.epoch).toEqual(golden.epoch);
  for (const [name, [mean, low, high]] of Object.entries(golden.series)) {
    const series = history.series.get(name);
    expect(nulls(series?.mean)).toEqual(mean);
    expect(nulls(series?.low)).toEqual(low);
    expect(nulls(series?.high)).toEqual(high);
  }
});

it("never draws a spike as nothing, however long the run goes on", () => {
  const history = new History();
  for (let step = 0; step <= 300; step++)
    history.append(metrics(COLUMNS, [[step, step, step / 25, step === 201 ? 0.84 : 0.05]]));
  for (const stride of [2, 4])
    history.append(metrics(COLUMNS, [[300 + stride, 300 + stride, 13, 0.05]], stride));
  expect(history.length).toBeLessThan(300);
  expect(Math.max(...(history.series.get("train_loss")?.high ?? []))).toBe(0.84);
  expect(Math.min(...(history.series.get("train_loss")?.low ?? []))).toBe(0.05);
  expect(history.step.slice(0, 129)).toEqual(Array.from({ length: 129 }, (_, step) => step));
});
