// How panels are laid out on a grid, by the place that each has and the room that there is.
export type Place = "left" | "centre" | "right";
export interface Placed {
  id: string;
  place: Place;
}
/** Three columns, two, one; or a lesson's frame, where the essential fills the first row. */
export type Mode = "wide" | "medium" | "narrow" | "frame";

export interface Arrangement {
  /** As they are read. */
  order: string[];
  /** CSS: grid-template-areas and grid-template-columns. */
  areas: string;
  columns: string;
}

const FLEXIBLE = "minmax(0, 1fr)";
const WIDTHS: Record<Place, string> = { left: "var(--left)", centre: FLEXIBLE, right: "var(--right)" };

/** What a lesson's frame shows unfolded: the first panel in the centre and the first on the right. */
export function essential(panels: Placed[]): string[] {
  return (["centre", "right"] as const).flatMap((place) => at(panels, place).slice(0, 1));
}

export function arrange(panels: Placed[], mode: Mode): Arrangement {
  const [left, centre, right] = (["left", "centre", "right"] as const).map((place) => at(panels, place));
  if (mode === "wide") return inColumns([left, centre, right], [WIDTHS.left, WIDTHS.centre, WIDTHS.right]);
  // What learns comes first, then what from.
  const [learns, curves] = [centre.slice(0, 1), centre.slice(1)];
  if (mode === "medium")
    return inColumns([[...learns, ...left, ...curves], right], [WIDTHS.centre, WIDTHS.right]);
  if (mode === "narrow") return inColumns([[...learns, ...left, ...right, ...curves]], [FLEXIBLE]);
  const head = essential(panels);
  const rest = panels.map(({ id }) => id).filter((id) => !head.includes(id));
  const rows = [head, ...rest.map((id) => head.map(() => id))];
  return {
    order: [...head, ...rest],
    areas: areasOf(rows),
    columns: fitting(head.map((_, i) => (i ? WIDTHS.right : FLEXIBLE))),
  };
}

const at = (panels: Placed[], place: Place) =>
  panels.filter((panel) => panel.place === place).map(({ id }) => id);

/** Columns side by side, without the empty ones; the last panel of a column takes the room that is left in it. */
function inColumns(all: string[][], widths: string[]): Arrangement {
  const columns = all.filter((ids) => ids.length);
  const height = Math.max(0, ...columns.map((ids) => ids.length));
  const rows = Array.from({ length: height }, (_, row) =>
    columns.map((ids) => ids[Math.min(row, ids.length - 1)]),
  );
  return {
    order: [...new Set(rows.flat())],
    areas: areasOf(rows),
    columns: fitting(widths.filter((_, i) => all[i].length)),
  };
}

const areasOf = (rows: string[][]) => rows.map((row) => `"${row.join(" ")}"`).join(" ");

/** One column has to take what the others leave. */
function fitting(widths: string[]): string {
  return (widths.includes(FLEXIBLE) ? widths : [...widths.slice(0, -1), FLEXIBLE]).join(" ");
}
