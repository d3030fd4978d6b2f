// Of more than two inputs the map shows a slice: which inputs are held fixed, at what, and between which bounds.
import { rough } from "../figures";
import { t } from "../i18n";
import type { Task } from "../types";

export interface HeldInput {
  name: string;
  /** In its own units, as are the bounds. */
  value: number;
  low: number;
  high: number;
}

/** Those that the network sees. `values`: of the third input and those after it. */
export function heldInputs(task: Task, features: string[], values: number[], extent: number): HeldInput[] {
  return values.flatMap((value, i) => {
    const column = i + 2;
    const name = task.input_names[column];
    if (name === undefined || !features.includes(`x${column + 1}`)) return [];
    const [low, high] = task.input_ranges?.[column] ?? [-extent, extent];
    return { name, value, low, high };
  });
}

const NAMED = 3;

/** "Held fixed: petal length 3.76 (mean), petal width 1.2". `chosen`: the inputs that are not at their mean. */
export function sentence(inputs: HeldInput[], chosen: Record<string, number>): string {
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
