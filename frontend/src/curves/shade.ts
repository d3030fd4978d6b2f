// Lines of another time, beneath those of now.
import type uPlot from "uplot";

/** x and, for each line that has them, its values. */
export interface Shade {
  xs: number[];
  lines: { colour: string; dash?: number[]; ys: (number | null)[] }[];
}

/** Thin and pale. `x` and `y` give canvas pixels; null is a gap. */
export function drawShade(
  { ctx, bbox }: uPlot,
  { xs, lines }: Shade,
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
  }
  ctx.restore();
}
