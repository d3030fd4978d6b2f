// Of more than two inputs the map shows a slice: which inputs are held fixed, at what, and between which bounds.
import { rough } from "../figures";
import { t } from "../i18n";
import type { AxisHeader, Task } from "../types";

export interface HeldInput {
  name: string;
  /** In its own units, as are the bounds. */
  value: number;
  low: number;
  high: number;
}

/** Values by the name of an input, in its own units. */
export type Values = Record<string, number>;

/** The inputs that are not drawn, by their columns; none where principal components are drawn. */
function hiddenColumns(task: Task, axes: AxisHeader[]): number[] {
  if (axes.some(({ input }) => input === null)) return [];
  return task.input_names.flatMap((_, column) =>
    axes.some(({ input }) => input === column) ? [] : [column],
  );
}

const boundsOf = (task: Task, column: number, extent: number): [number, number] =>
  task.input_ranges?.[column] ?? [-extent, extent];

/** Those that the network sees. `values`: of all that are not drawn. */
export function heldInputs(
  task: Task,
  axes: AxisHeader[],
  features: string[],
  values: number[],
  extent: number,
): HeldInput[] {
  return hiddenColumns(task, axes).flatMap((column, i) => {
    if (values[i] === undefined || !features.includes(`x${column + 1}`)) return [];
    const [low, high] = boundsOf(task, column, extent);
    return { name: task.input_names[column], value: values[i], low, high };
  });
}

/** What the inputs that are not drawn would be held at to go through a point, `row` as the network gets it. */
export function valuesOf(task: Task, axes: AxisHeader[], row: ArrayLike<number>, extent: number): Values {
  return Object.fromEntries(
    hiddenColumns(task, axes).map((column) => {
      const [low, high] = boundsOf(task, column, extent);
      const value = low + ((row[column] + extent) / (2 * extent)) * (high - low);
      return [task.input_names[column], Math.min(high, Math.max(low, value))];
    }),
  );
}

const NAMED = 3;

/** "Held fixed: petal length 3.76 (mean), petal width 1.2". `chosen`: the inputs that are not at their mean. */
export function sentence(inputs: HeldInput[], chosen: Values): string {
  const means = inputs.every(({ name }) => !(name in chosen));
  const first = [...inputs]
    .sort((a, b) => Number(b.name in chosen) - Number(a.name in chosen))
    .slice(0, NAMED);
  const named = first
    .map(({ name, value }) =>
      t(means || name in chosen ? "output.slice.value" : "output.slice.mean", { name, value: rough(value) }),
    )
    .join(", ");
  const n = inputs.length - first.length;
  const all = n ? t("output.slice.more", { inputs: named, n }) : named;
  return t(means ? "output.slice.at_means" : "output.slice", { inputs: all });
}

/** "sepal length 5.1, sepal width 3.5, petal length 1.4 and 61 more" */
export function listed(values: Values): string {
  const all = Object.entries(values);
  const inputs = all
    .slice(0, NAMED)
    .map(([name, value]) => t("output.slice.value", { name, value: rough(value) }))
    .join(", ");
  return all.length > NAMED ? t("output.slice.more", { inputs, n: all.length - NAMED }) : inputs;
}
