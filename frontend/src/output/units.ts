// Values of a regression as the visitor's file has them: the network learns them scaled to -1 ... 1.
import { rough } from "../figures";
import type { Task } from "../types";

export interface Units {
  /** What is predicted, where it has a name. */
  name: string | null;
  /** A value that the network gives, as the file has it. */
  of: (value: number) => number;
  /** The same of a difference of two values. */
  difference: (value: number) => number;
}

/** Scores are in no units. */
export function unitsOf({ kind, target_name, target_scale: scale }: Task): Units {
  const target_scale = kind === "embedding" ? null : scale;
  const [lo, hi] = target_scale ?? [-1, 1];
  const half = hi / 2 - lo / 2;
  return {
    name: (target_scale && target_name) ?? null,
    of: (value) => lo + (value + 1) * half,
    difference: (value) => value * half,
  };
}

/** "marks 71.2" */
export const writtenIn = (units: Units, value: number): string =>
  [units.name, rough(units.of(value))].filter(Boolean).join(" ");
