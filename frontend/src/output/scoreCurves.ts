// How well the scores tell the classes apart, as the server measures it: what is drawn of it, and said.
import type { CurvesOfClass, CurvesOfPoints } from "../types";

export const VIEWS = ["roc", "precision_recall", "calibration"] as const;
export type CurveView = (typeof VIEWS)[number];

export type Place = [x: number, y: number];

/** Of one class: its line from left to right, both sides from 0 to 1, and the number that sums it up. */
export interface ClassLine {
  /** The class, counted from 0. */
  k: number;
  places: Place[];
  /** An area, or the calibration error; null where there is none. */
  measure: number | null;
  /** Of a calibration: the share of the points at each place. */
  weights: number[] | null;
}

type Numbers = (number | null)[];

const paired = (xs: Numbers, ys: Numbers): Place[] =>
  xs.flatMap((x, i): Place[] => {
    const y = ys[i];
    return x === null || y === null ? [] : [[x, y]];
  });

export function lineOf(curves: CurvesOfClass, view: CurveView): ClassLine {
  const k = curves.label;
  if (view === "roc") {
    const { false_positive_rate, true_positive_rate, area } = curves.roc;
    return { k, places: paired(false_positive_rate, true_positive_rate), measure: area, weights: null };
  }
  if (view === "precision_recall") {
    const { recall, precision, area } = curves.precision_recall;
    return { k, places: paired(recall, precision), measure: area, weights: null };
  }
  const { predicted, observed, counts, error } = curves.calibration;
  const all = counts.reduce((sum, count) => sum + count, 0);
  const weights = counts.filter((count) => count > 0).map((count) => count / all);
  return { k, places: paired(predicted, observed), measure: error, weights };
}

export const linesOf = (points: CurvesOfPoints, view: CurveView): ClassLine[] =>
  points.classes.map((curves) => lineOf(curves, view));

/**
 * The height of a line at x, of several there the highest; null beyond its ends. Between two corners a precision-recall
 * curve keeps the precision of the right one: what lies between them cannot be reached.
 */
export function heightAt(places: Place[], x: number, view: CurveView): number | null {
  const there = places.filter(([at]) => Math.abs(at - x) < 1e-9);
  if (there.length) return Math.max(...there.map(([, y]) => y));
  const right = places.findIndex(([at]) => at > x);
  if (right < 1) return null;
  const [[x0, y0], [x1, y1]] = [places[right - 1], places[right]];
  return view === "precision_recall" ? y1 : y0 + ((x - x0) / (x1 - x0)) * (y1 - y0);
}

/** SVG: `M0,1L0.5,0.2…` on a square of so many units, upwards; a precision-recall curve goes in steps. */
export function pathOf(places: Place[], view: CurveView, size: number): string {
  const at = (value: number) => (value * size).toFixed(1);
  return places
    .map(([x, y], i) => {
      const corner = `${at(x)},${at(1 - y)}`;
      if (!i) return `M${corner}`;
      return view === "precision_recall" ? `V${at(1 - y)}H${at(x)}` : `L${corner}`;
    })
    .join("");
}
