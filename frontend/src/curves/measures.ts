// How good runs are, as far as one can choose which number they are compared by.
import type { TermName } from "../controls/terms";
import { figure, percent } from "../figures";

const MEASURES = ["test_loss", "train_loss", "test_accuracy", "test_r2", "test_mae"] as const;
export type Measure = (typeof MEASURES)[number];

/** Those that have been measured. */
export const measured = (has: (metric: string) => boolean): Measure[] => MEASURES.filter(has);

export const isShare = (measure: Measure): boolean => measure === "test_accuracy";

/** The value as it is written. */
export const valued = (measure: Measure): ((value: number | null) => string) =>
  isShare(measure) ? percent : figure;

/** What explains it. */
export const termOf = (measure: Measure): TermName =>
  ({ test_loss: "loss", train_loss: "loss", test_accuracy: "accuracy", test_r2: "r2", test_mae: "mae" })[
    measure
  ] as TermName;
