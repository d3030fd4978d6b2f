// How far two runs are apart by some measure, in words.
import { figure, percent, rough } from "../figures";
import { type Key, t } from "../i18n";
import { isShare, type Measure, valued } from "./measures";

const ALIKE = { loss: 0.02, share: 0.005 };
const FACTOR = 2; // from it on "3 times" says more than "200 % higher"

/** "Test loss at epoch 12: 0.3 against 0.1 here, 3 times as high." */
export function contrast(measure: Measure, epoch: string, here: number, there: number): string {
  const { key, by } = apart(measure, here, there);
  const write = valued(measure);
  const values = { measure: t(`measure.${measure}`), epoch, here: write(here), there: write(there), by };
  return t(key, values);
}

/** The distance from `here` to `there`: shares in points, R² as it is, and what is never negative by its ratio. */
export function apart(measure: Measure, here: number, there: number): { key: Key; by: string } {
  const difference = there - here;
  const key = difference > 0 ? "past.higher" : "past.lower";
  if (isShare(measure) || measure === "test_r2") {
    if (!(Math.abs(difference) >= ALIKE.share)) return { key: "past.same", by: "" };
    const by = Math.abs(difference);
    return {
      key,
      by: isShare(measure) ? t("past.points", { by: rough(Number((100 * by).toFixed(1))) }) : figure(by),
    };
  }
  const ratio = there / here;
  if (!(Math.abs(Math.log(ratio)) > ALIKE.loss)) return { key: "past.same", by: "" };
  if (ratio >= FACTOR && Number.isFinite(ratio))
    return { key: "past.times", by: rough(Number(ratio.toPrecision(2))) };
  return { key, by: percent(Math.abs(ratio - 1), 0) };
}
