// The input square: both inputs run from -6 to 6, x1 to the right, x2 upwards.
export const EXTENT = 6;

const clamp = (value: number) => Math.max(-EXTENT, Math.min(EXTENT, value));

/** Pixels from the top left of a square of `size` pixels -> inputs, kept inside the square. */
export function toInputs(px: number, py: number, size: number): [number, number] {
  return [clamp((px / size) * 2 * EXTENT - EXTENT), clamp(EXTENT - (py / size) * 2 * EXTENT)];
}

export function toPixels(x1: number, x2: number, size: number): [number, number] {
  return [((x1 + EXTENT) / (2 * EXTENT)) * size, ((EXTENT - x2) / (2 * EXTENT)) * size];
}

/** Index of the map cell (row 0 on top) that holds these inputs, for a map of `cells` x `cells`. */
export function cellAt(x1: number, x2: number, cells: number): number {
  const inside = (share: number) => Math.max(0, Math.min(cells - 1, Math.floor(share * cells)));
  const column = inside((x1 + EXTENT) / (2 * EXTENT));
  const row = inside((EXTENT - x2) / (2 * EXTENT));
  return row * cells + column;
}
