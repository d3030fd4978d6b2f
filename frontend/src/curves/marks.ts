// Where the labelled marks of the timeline go on a chart, so that no label covers another.
import type { Text } from "../types";

export interface Mark {
  /** Position on the x axis, in its units. */
  at: number;
  label: string;
  /** What many small changes in a row have in common; they are one mark, with the label of the last. */
  stroke?: string;
}

export interface PlacedMark {
  /** Pixels from the plot's left. */
  left: number;
  stroke?: string;
  /** Of the newest change of the stroke. */
  end: number;
  /** Every change at this place, in order. */
  labels: string[];
  /** What is written there; null where there is room for a line only. */
  text: string | null;
  row: number;
  /** The label stands left of its line, because the plot ends on the right. */
  flipped: boolean;
}

/** The parts of a label that differ between the changes of one drag. */
const DRAGGED = ["value", "rate", "entries"];

/** The same text for changes that set the same thing to another value, as those of one drag; else none. */
export function strokeOf(label: Text[]): string | undefined {
  let dragged = label.some(({ code }) => code === "label.weights");
  const key = JSON.stringify(label, (name, value) => {
    if (name === "text") return undefined;
    if (!DRAGGED.includes(name) || typeof value !== "number") return value;
    dragged = true;
    return null;
  });
  return dragged ? key : undefined;
}

/** "points, points, points" says less than "points ×3". */
export function counted(labels: string[]): string {
  const counts = new Map<string, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  return [...counts].map(([label, n]) => (n > 1 ? `${label} ×${n}` : label)).join(", ");
}

/**
 * Marks closer than `near` pixels become one, and so do those of one stroke that follow closely on one another. A label
 * goes to the first row that is free right or left of its line, and is left out (its line stays) where all rows are taken.
 */
export function placed(
  marks: Mark[],
  toPixels: (at: number) => number,
  width: number,
  widthOf: (text: string) => number,
  rows = 2,
  near = 5,
): PlacedMark[] {
  const groups: PlacedMark[] = [];
  for (const mark of [...marks].sort((a, b) => a.at - b.at)) {
    const left = toPixels(mark.at);
    if (left < -0.5 || left > width + 0.5) continue;
    const last = groups.at(-1);
    const apart = last ? left - last.left : Number.POSITIVE_INFINITY;
    if (last && mark.stroke !== undefined && mark.stroke === last.stroke && left - last.end < NEAR_STROKE) {
      last.labels = [mark.label];
      last.end = left;
    } else if (last && apart < near) {
      last.labels.push(mark.label);
      last.stroke = undefined;
    } else {
      const { label, stroke } = mark;
      groups.push({ left, end: left, labels: [label], stroke, text: null, row: 0, flipped: false });
    }
  }
  // The newest changes matter most, so they choose first.
  const taken: { from: number; to: number }[][] = Array.from({ length: rows }, () => []);
  const crossing: { left: number; row: number }[] = []; // lines that go up past lower rows
  for (const group of [...groups].reverse()) {
    const text = shortened(counted(group.labels));
    const wide = widthOf(text) + 9;
    const sides = [group.left, group.left - wide].filter((from) => from >= 0 && from + wide <= width);
    const spot = sides
      .flatMap((from) => taken.map((spans, row) => ({ from, to: from + wide, row, spans })))
      .find(
        ({ from, to, row, spans }) =>
          spans.every((span) => to <= span.from || from >= span.to) &&
          crossing.every((line) => line.row <= row || line.left <= from || line.left >= to) &&
          taken
            .slice(0, row)
            .every((below) => below.every((span) => group.left <= span.from || group.left >= span.to)),
      );
    if (!spot) continue;
    spot.spans.push(spot);
    crossing.push({ left: group.left, row: spot.row });
    group.flipped = spot.from < group.left;
    group.text = text;
    group.row = spot.row;
  }
  return groups;
}

const LONGEST = 26;
const NEAR_STROKE = 24; // px

function shortened(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
}
