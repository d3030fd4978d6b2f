// What is said of a place on the decision map: where it is, and what the network answers there.
import { decimal, rough } from "../figures";
import { t } from "../i18n";
import type { Unit } from "../network/layout";
import { type Frame, valueAt } from "../wire";
import { cellAt } from "./square";
import { type Units, writtenIn } from "./units";

/** One input of the square. */
export interface Axis {
  name: string;
  /** What the ends of the square stand for in the visitor's own units, where the data came in others. */
  range: [number, number] | null;
}

/** As it was before the columns were scaled to the square; the steps of a map's cell are no finer than its digits. */
export function coordinate(value: number, { range }: Axis, extent: number): string {
  if (!range) return decimal(value, 1);
  const [lo, hi] = range;
  const at = lo + ((value + extent) / (2 * extent)) * (hi - lo);
  return rough(Math.abs(at) < 1e-9 * (hi - lo) ? 0 : at); // 2·10⁻¹⁶ is none
}

export const tick = (value: number, axis: Axis, extent: number): string =>
  axis.range ? coordinate(value, axis, extent) : rough(value);

export interface Place {
  at: [x1: number, x2: number];
  extent: number;
  axes: [Axis, Axis];
  /** Names of the classes. */
  labels: string[];
  /** Of a regression, where it came in others. */
  units?: Units;
  /** The unit whose map is shown in place of the decision, if one is. */
  unit: Unit | null;
}

/** "x1 1.2, x2 −0.4: 0.97 blue". */
export function sentenceAt(
  { at: [x1, x2], extent, axes, labels, units, unit }: Place,
  frame: Frame | null,
): string {
  const where = [x1, x2]
    .map((value, input) => `${axes[input].name} ${coordinate(value, axes[input], extent)}`)
    .join(", ");
  const neuron = unit && frame?.neuronMap(unit.layer, unit.unit);
  if (neuron)
    return t("output.readout.value", {
      where,
      value: decimal(valueAt(neuron, cellAt(x1, x2, neuron.size, extent)), 2),
    });
  const painted = frame?.colours;
  if (painted) {
    const cell = cellAt(x1, x2, painted.size, extent);
    const [red, green, blue] = [0, 1, 2].map((k) => painted.bytes[k * painted.size ** 2 + cell]);
    return t("output.readout.colour", { where, red, green, blue });
  }
  const decision = frame?.decision;
  if (!frame || !decision) return where;
  const cell = cellAt(x1, x2, decision.size, extent);
  if (frame.taskKind === "regression") {
    const value = valueAt(decision, cell);
    return t("output.readout.value", {
      where,
      value: units?.name ? writtenIn(units, value) : decimal(value, 2),
    });
  }
  const chosen = frame.confidence ? decision.bytes[cell] : 1;
  const share = (frame.confidence ?? decision.bytes)[cell] / 255;
  return t("output.readout.class", {
    where,
    label: labels[chosen] ?? String(chosen),
    share: decimal(share, 2),
  });
}
