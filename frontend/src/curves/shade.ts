// Lines of another time, beneath those of now.
import type uPlot from "uplot";

/** x and, for each line that has them, its values. */
export interface Shade {
  /** A letter at its end, where there are several. */
  letter?: string;
  xs: number[];
  lines: { colour: string; dash?: number[]; ys: (number | null)[] }[];
}

/** Thin and pale. `x` and `y` give canvas pixels; null is a gap. */
export function drawShade(
  { ctx, bbox }: uPlot,
  { letter, xs, lines }: Shade,
  x: (at: number) => number,
  y: (value: number | null) => number | null,
): void {
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.globalAlpha = 0.5;
  ctx.lineWidth = devicePixelRatio;
  for (const { colour, dash, ys } of lines) {
    ctx.strokeStyle = colour;
    ctx.setLineDash((dash ?? []).map((length) => length * devicePixelRatio));
    ctx.beginPath();
    let drawing = false;
    xs.forEach((at, row) => {
      const top = y(ys[row] ?? null);
      if (top !== null && drawing) ctx.lineTo(x(at), top);
      else if (top !== null) ctx.moveTo(x(at), top);
      drawing = top !== null;
    });
    ctx.stroke();
    const row = ys.findLastIndex((value) => y(value) !== null);
    if (!letter || row < 0) continue;
    ctx.setLineDash([]);
    ctx.fillStyle = colour;
    ctx.globalAlpha = 1;
    ctx.textAlign = "right";
    ctx.textBaseline = "bottom";
    ctx.font = `600 ${11 * devicePixelRatio}px sans-serif`;
    ctx.fillText(letter, x(xs[row]), (y(ys[row]) ?? 0) - 2 * devicePixelRatio);
    ctx.globalAlpha = 0.5;
  }
  ctx.restore();
}
