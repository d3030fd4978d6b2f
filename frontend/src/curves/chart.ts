// One uPlot chart with the marks of the changes on it. Knows no page: it is given numbers and tells what is pointed at.
import uPlot from "uplot";
import { decimal, percent, rough } from "../figures";
import { repaints } from "../share/strokes";
import { type Mark, type PlacedMark, placed } from "./marks";
import { drawShade, type Shade } from "./shade";

export interface Line {
  label: string;
  /** In full, where the label is short. */
  name?: string;
  colour: string;
  dash?: number[];
  /** Name of its column of the history. */
  metric: string;
  /** An edge of its band, or the raw values behind a smoothed line: pale, and not read out. */
  role?: "low" | "high" | "raw";
}

export interface Look {
  xTitle: string;
  yTitle: string;
  log: boolean;
  /** The x axis is logarithmic; its 0 is at the left edge. */
  logX: boolean;
  /** Share in [0, 1], as percent. */
  percent: boolean;
  /** The axis goes no lower: what is below is as bad as bad can be. */
  floor: number | null;
  /** Whether the changes' labels are written beside their lines. */
  labelled: boolean;
  lines: Line[];
  /** CSS colours and fonts as they are computed. */
  text: string;
  muted: string;
  line: string;
  background: string;
  font: string;
  /** Of the numbers on the axes, in pixels. */
  size: number;
}

export type Zoom = [from: number, to: number] | null;

export interface Listener {
  /** Row under the cursor, null when there is none. */
  pointed: (row: number | null) => void;
  marked: (mark: { left: number; labels: string[] } | null) => void;
  zoomed: (zoom: Zoom) => void;
}

export type Columns = (number | null)[][];

const HUGE = 1e12; // beyond it the plot finds no ticks
const INCREMENTS = Array.from({ length: 40 }, (_, i) =>
  [1, 2, 5].map((digit) => Number(`${digit}e${i - 20}`)),
).flat();
const NEAR = 6; // px around a mark that show it in full
const ROW = 14; // px, of a row of labels

export class Chart {
  private readonly plot: uPlot;
  private zoom: Zoom = null;
  private marks: Mark[] = [];
  private onPlot: PlacedMark[] = [];
  /** What the values on the plot are in multiples of. */
  private factor = 1;
  /** Rows of labels above the plot. */
  private rows = 0;
  private shades: Shade[] = [];
  /** The moment that is looked at. */
  private here: number | null = null;
  /** Where a logarithmic x axis has its 0. */
  private least = 0;

  constructor(
    private readonly host: HTMLElement,
    private readonly look: Look,
    private readonly listener: Listener,
  ) {
    this.plot = new uPlot(this.options(), [[]], host);
    repaints.set(this.plot.ctx.canvas, () => this.plot.setData(this.plot.data));
  }

  /** `columns`: x, then one column for each line; null is a gap. */
  update(
    columns: Columns,
    marks: Mark[],
    zoom: Zoom,
    shades: Shade[] = [],
    here: number | null = null,
  ): void {
    this.marks = marks;
    this.zoom = zoom;
    this.shades = shades;
    this.here = here;
    const positive = [columns[0], ...shades.map(({ xs }) => xs)].flatMap(
      (xs) => xs.find((x) => x !== null && x > 0) ?? [],
    );
    this.least = positive.length ? Math.min(...positive) / 2 : 0.1;
    const largest = columns
      .slice(1)
      .reduce((most, ys) => ys.reduce<number>((a, y) => Math.max(a, Math.abs(y ?? 0)), most), 0);
    this.factor = largest >= HUGE ? 10 ** Math.floor(Math.log10(largest)) : 1;
    // A logarithm has no place for zero.
    const scaled = (y: number | null) => (y === null || (this.look.log && y <= 0) ? null : y / this.factor);
    const place = (x: number | null) => Math.max(x ?? 0, this.look.logX ? this.least : 0);
    const data = columns.map((values, c) => values.map(c === 0 ? place : scaled));
    this.plot.setData(data as uPlot.AlignedData);
  }

  resize(width: number, height: number): void {
    if (width === this.plot.width && height === this.plot.height) return;
    this.plot.setSize({ width, height });
  }

  /** Moves the cursor along the samples, for the keyboard. */
  stepCursor(by: number): void {
    const xs = this.plot.data[0];
    if (!xs.length) return;
    const now = this.plot.cursor.idx ?? xs.length - 1;
    const row = Math.max(0, Math.min(xs.length - 1, now + by));
    this.plot.setCursor({
      left: this.plot.valToPos(xs[row], "x"),
      top: this.plot.bbox.height / (3 * devicePixelRatio),
    });
  }

  get range(): [number, number] {
    const { min, max } = this.plot.scales.x;
    return [min ?? 0, max ?? 1];
  }

  /** The left end of what there is. */
  get start(): number {
    return this.look.logX ? this.least : 0;
  }

  /** Where zooming by buttons and keys centres: the cursor if there is one, else the newest end. */
  get centre(): number | null {
    const { idx } = this.plot.cursor;
    return idx == null ? null : (this.plot.data[0][idx] ?? null);
  }

  destroy(): void {
    this.plot.destroy();
  }

  private options(): uPlot.Options {
    const { look } = this;
    return {
      width: Math.max(80, this.host.clientWidth),
      height: Math.max(60, this.host.clientHeight),
      padding: [() => 6 + this.rows * ROW, (plot) => this.rightEdge(plot), 0, 0],
      legend: { show: false },
      cursor: {
        sync: { key: "curves", setSeries: false, scales: ["x", null] },
        drag: { x: true, y: false, setScale: false },
        points: { size: 6 },
        y: false,
        bind: {
          dblclick: () => () => {
            this.listener.zoomed(null);
            return null;
          },
        },
      },
      scales: {
        x: { time: false, distr: look.logX ? 3 : 1, range: () => this.xRange() },
        y: { distr: look.log ? 3 : 1, range: (_, min, max) => this.yRange(min, max) },
      },
      axes: this.axes(),
      series: [
        {},
        ...look.lines.map(
          (line): uPlot.Series => ({
            label: line.label,
            stroke: isEdge(line) ? translucent(line.colour, 0.3) : line.colour,
            alpha: line.role === "raw" ? 0.28 : 1,
            width: (line.role ? 1 : 1.6) * Math.max(1, look.size / 12),
            dash: line.role ? undefined : line.dash,
            points: { show: false },
          }),
        ),
      ],
      bands: look.lines.flatMap((line, i) =>
        line.role === "high" ? [{ series: [i + 1, i], fill: translucent(line.colour, 0.16) }] : [],
      ) as uPlot.Band[],
      hooks: {
        setSelect: [
          (plot) => {
            if (plot.select.width < 4) return;
            const from = plot.posToVal(plot.select.left, "x");
            const to = plot.posToVal(plot.select.left + plot.select.width, "x");
            plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            if (to > from) this.listener.zoomed([from, to]);
          },
        ],
        setCursor: [(plot) => this.point(plot)],
        drawAxes: [
          (plot) => {
            const x = (at: number) => plot.valToPos(Math.max(at, this.start), "x", true);
            const y = (value: number | null) => {
              const [known] = this.drawable([value]);
              return known === undefined ? null : plot.valToPos(known, "y", true);
            };
            for (const shade of this.shades) drawShade(plot, shade, x, y);
          },
        ],
        draw: [(plot) => this.drawMarks(plot), (plot) => this.drawHere(plot)],
      },
    };
  }

  private axes(): uPlot.Axis[] {
    const { look } = this;
    const grown = look.size / 11;
    const axis = {
      stroke: look.muted,
      font: `${look.size}px ${look.font}`,
      labelFont: `${look.size}px ${look.font}`,
      labelSize: 15 * grown,
      labelGap: 0,
      gap: 3,
      grid: { stroke: look.line, width: 1 },
      ticks: { stroke: look.line, width: 1, size: 4 },
    };
    return [
      {
        ...axis,
        label: look.xTitle,
        size: 22 * grown,
        space: 44 * grown,
        ...(look.logX && {
          splits: (_: uPlot, __: number, min: number, max: number) => this.xSplits(min, max),
          filter: (_: uPlot, splits: number[]) => splits,
          values: (_: uPlot, splits: number[]) => splits.map((x) => this.xTick(x)),
        }),
      },
      {
        ...axis,
        label: look.yTitle,
        size: 40 * grown,
        space: (look.log ? 18 : 24) * grown,
        // A quarter would need one digit more than a label has.
        incrs: look.log ? undefined : INCREMENTS,
        splits: look.log
          ? (_, __, min, max) =>
              logSplits(min * this.factor, max * this.factor).map((value) => value / this.factor)
          : undefined,
        values: (_, splits, __, ___, step) =>
          splits.map((value) => (value == null ? "" : this.tick(value, step))),
      },
    ];
  }

  private xRange(): [number, number] {
    if (this.zoom) return [Math.max(this.zoom[0], this.look.logX ? this.least : 0), this.zoom[1]];
    const xs = this.plot?.data[0] ?? [];
    const most = Math.max(xs[xs.length - 1] ?? 0, ...this.shades.map(({ xs }) => xs.at(-1) ?? 0));
    return this.look.logX ? [this.least, Math.max(most, 10 * this.least)] : [0, Math.max(most, 1)];
  }

  /** The 0, and powers of ten that do not stand too close to it. */
  private xSplits(min: number, max: number): number[] {
    const powers = logSplits(min, max).filter((x) => x > 1.9 * this.least);
    return min <= this.least ? [this.least, ...powers] : powers;
  }

  private xTick(x: number): string {
    return x <= this.least ? "0" : Number.isInteger(x) ? decimal(x, 0) : rough(x);
  }

  /** Room right of the plot for half of the last number below it. */
  private rightEdge({ ctx, scales }: uPlot): number {
    ctx.save();
    ctx.font = `${this.look.size}px ${this.look.font}`;
    const { width } = ctx.measureText(decimal(scales.x.max ?? 0, (scales.x.max ?? 0) < 5 ? 1 : 0));
    ctx.restore();
    return Math.max(8, Math.ceil(width / 2) + 3);
  }

  private yRange(low: number | null, high: number | null): [number, number] {
    const shaded = this.shades.flatMap(({ lines }) => lines.flatMap(({ ys }) => this.drawable(ys)));
    const known = [low, high].filter((value) => value !== null);
    const [min, max] = [...known, ...shaded].length
      ? [
          [...known, ...shaded].reduce((a, b) => Math.min(a, b)),
          [...known, ...shaded].reduce((a, b) => Math.max(a, b)),
        ]
      : [null, null];
    const { look } = this;
    if (look.log) {
      if (min === null || max === null || !(min > 0)) return [0.01, 1];
      return [min / 1.3, Math.max(max * 1.3, min * 3)];
    }
    if (min === null || max === null) return [0, 1];
    if (look.percent) return [Math.max(0, Math.min(0.9, Math.floor(min * 10 - 0.2) / 10)), 1.01];
    if (look.floor !== null) return [Math.max(look.floor, Math.min(0, min * 1.05)), Math.max(1, max)];
    return [Math.min(0, min * 1.05), Math.max(max * 1.08, 1e-6)];
  }

  private tick(value: number, step: number): string {
    if (!this.look.percent) return rough(value * this.factor);
    return value > 1 + 1e-9 ? "" : percent(value, step < 0.01 ? 1 : 0);
  }

  private point(plot: uPlot): void {
    const { left, idx } = plot.cursor;
    const inside = left !== undefined && left >= 0;
    this.listener.pointed(inside ? (idx ?? null) : null);
    const near = inside ? this.onPlot.filter((mark) => Math.abs(mark.left - left) < NEAR) : [];
    const best = near.sort((a, b) => Math.abs(a.left - (left ?? 0)) - Math.abs(b.left - (left ?? 0)))[0];
    this.listener.marked(
      best ? { left: best.left + plot.bbox.left / devicePixelRatio, labels: best.labels } : null,
    );
  }

  /** As the values on the plot are, without those that have no place there. */
  private drawable(ys: (number | null)[]): number[] {
    return ys.flatMap((y) => (y === null || (this.look.log && y <= 0) ? [] : [y / this.factor]));
  }

  private drawHere(plot: uPlot): void {
    if (this.here === null) return;
    const { ctx, bbox } = plot;
    const x = plot.valToPos(Math.max(this.here, this.start), "x", true);
    if (x < bbox.left - 1 || x > bbox.left + bbox.width + 1) return;
    ctx.save();
    ctx.strokeStyle = this.look.text;
    ctx.lineWidth = 2 * devicePixelRatio;
    ctx.setLineDash([]);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.restore();
  }

  private drawMarks(plot: uPlot): void {
    const { ctx, bbox } = plot;
    const ratio = devicePixelRatio;
    ctx.save();
    ctx.font = `${10 * ratio}px ${this.look.font}`;
    ctx.textAlign = "left";
    ctx.textBaseline = "middle";
    this.onPlot = placed(
      this.marks,
      (at) => plot.valToPos(this.look.logX ? Math.max(at, this.least) : at, "x"),
      bbox.width / ratio,
      (text) => ctx.measureText(text).width / ratio,
      this.look.labelled ? undefined : 0,
    );
    const rows = Math.max(0, ...this.onPlot.map((mark) => (mark.text === null ? 0 : mark.row + 1)));
    if (rows !== this.rows) {
      this.rows = rows;
      queueMicrotask(() => plot.setSize({ width: plot.width, height: plot.height }));
    }
    ctx.lineWidth = ratio;
    for (const mark of this.onPlot) {
      const x = bbox.left + Math.round(mark.left * ratio);
      ctx.strokeStyle = this.look.muted;
      ctx.globalAlpha = 0.75;
      ctx.setLineDash([3 * ratio, 3 * ratio]);
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      ctx.setLineDash([]);
      if (mark.text === null) continue;
      const width = ctx.measureText(mark.text).width + 6 * ratio;
      const left = mark.flipped ? x - width : x;
      const middle = bbox.top - (mark.row * ROW + ROW / 2) * ratio;
      // The line goes up to its label.
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, middle - 5 * ratio);
      ctx.stroke();
      ctx.globalAlpha = 1;
      ctx.fillStyle = this.look.text;
      ctx.fillText(mark.text, left + 3 * ratio, middle);
    }
    ctx.restore();
  }
}

const isEdge = ({ role }: Line) => role === "low" || role === "high";

/** "rgb(1 2 3)" -> "rgb(1 2 3 / 0.4)". */
const translucent = (colour: string, alpha: number) => colour.replace(")", ` / ${alpha})`);

/** Powers of ten; between them 2 and 5 where there are few, and fewer powers where there are many. */
export function logSplits(min: number, max: number): number[] {
  const [low, high] = [Math.floor(Math.log10(min)), Math.ceil(Math.log10(max))];
  const every = Math.max(1, Math.ceil((high - low) / 6));
  const factors = high - low <= 2 ? [1, 2, 5] : [1];
  const out: number[] = [];
  for (let power = Math.ceil(low / every) * every; power <= high; power += every) {
    for (const factor of factors) {
      const at = Number((factor * 10 ** power).toPrecision(1));
      if (at >= min && at <= max) out.push(at);
    }
  }
  return out;
}
