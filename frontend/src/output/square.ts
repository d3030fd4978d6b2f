// The input square: both inputs run from -extent to extent, x1 to the right, x2 upwards.

/** Pixels from the top left of a square of `size` pixels -> inputs, kept inside the square. */
export function toInputs(px: number, py: number, size: number, extent: number): [number, number] {
  return [
    clamped((px / size) * 2 * extent - extent, extent),
    clamped(extent - (py / size) * 2 * extent, extent),
  ];
}

export function toPixels(x1: number, x2: number, size: number, extent: number): [number, number] {
  return [((x1 + extent) / (2 * extent)) * size, ((extent - x2) / (2 * extent)) * size];
}

/** Index of the map cell (row 0 on top) that holds these inputs, for a map of `cells` x `cells`. */
export function cellAt(x1: number, x2: number, cells: number, extent: number): number {
  const [column, row] = toPixels(x1, x2, cells, extent).map((at) =>
    Math.max(0, Math.min(cells - 1, Math.floor(at))),
  );
  return row * cells + column;
}

export const clamped = (value: number, extent: number) => Math.max(-extent, Math.min(extent, value));
