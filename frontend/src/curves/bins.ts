// One point for every few pixels: more would be a solid block, of which nothing can be read.
import type { Columns, Line } from "./chart";

const PIXELS = 2; // to twice as many

/**
 * Merges the rows of each bin: the last x, the least and greatest of a band's edges, the mean of every other line.
 * The bins of a linear axis are powers of two wide, so that they stay where they are while the axis grows.
 */
export function binned(columns: Columns, lines: Line[], span: number, width: number, logX: boolean): Columns {
  const scale = (x: number) => (logX ? Math.log2(x) : x);
  const wide = logX ? 1 / 16 : 2 ** Math.ceil(Math.log2((span * PIXELS) / Math.max(width, 1)));
  const binOf = (x: number | null) => Math.ceil(scale(x ?? 0) / wide);
  const starts = columns[0].flatMap((x, row) =>
    row > 0 && binOf(x) === binOf(columns[0][row - 1]) ? [] : [row],
  );
  const ends = [...starts.slice(1), columns[0].length];
  return columns.map((values, c) =>
    starts.map((start, bin) => {
      if (c === 0) return values[ends[bin] - 1];
      const known = values.slice(start, ends[bin]).filter((value) => value !== null);
      if (!known.length) return null;
      const { role } = lines[c - 1];
      if (role === "low") return known.reduce((a, b) => Math.min(a, b));
      if (role === "high") return known.reduce((a, b) => Math.max(a, b));
      return known.reduce((a, b) => a + b) / known.length;
    }),
  );
}
