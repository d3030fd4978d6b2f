// What a notebook shows of a session: the decision map with the points, and the curves of the loss.
import type { Theme } from "../colours";
import { TEST, TEST_DASH, TRAIN } from "../curves/palette";
import { paintDecision, scaleOf } from "../maps";
import { paintSets } from "../output/points";
import { type DataMessage, decode, type Frame } from "../wire";
import { word } from "./words";

const EDGE = 240;
const WIDE = 380;
const EXTENT = 6;
const MARGIN = { left: 44, right: 8, top: 24, bottom: 22 };
/** Columns of `curves`. */
const COLUMNS = 3;

export class Picture {
  private readonly map = canvas(EDGE, EDGE);
  private readonly points = canvas(EDGE, EDGE);
  private readonly curves = canvas(WIDE, EDGE);
  private readonly square = document.createElement("div");

  constructor(private readonly root: HTMLElement) {
    this.square.style.cssText = `position:relative;width:${EDGE}px;height:${EDGE}px`;
    for (const layer of [this.map, this.points]) layer.style.cssText += ";position:absolute;inset:0";
    this.square.append(this.map, this.points);
    root.append(this.square, this.curves);
  }

  /** A frame and the points that it is about, both as they came from the server; bytes of nothing before. */
  showMap(frame: DataView, data: DataView): void {
    if (!frame.byteLength || !data.byteLength) return;
    const shown = decode(whole(frame)) as Frame;
    const { task, ...points } = pointsOf(decode(whole(data)) as DataMessage);
    this.square.hidden = !shown.decision && !shown.colours;
    if (this.square.hidden) return;
    const scale = scaleOf(task);
    const theme = themeOf(this.root);
    paintDecision(this.map, shown, { theme, discretise: false }, scale);
    const regression = shown.taskKind === "regression";
    const look = { theme, size: EDGE, extent: EXTENT, regression, scale, markWrong: false, grounds: false };
    if (!shown.colours) paintSets(this.points, points, look);
  }

  /** Rows of epoch, training loss and test loss. */
  showCurves(bytes: DataView): void {
    const rows = new Float32Array(whole(bytes));
    const count = rows.length / COLUMNS;
    const context = sharp(this.curves, WIDE, EDGE);
    if (!context || count < 2) return;
    const theme = themeOf(this.root);
    const column = (index: number) => Array.from({ length: count }, (_, row) => rows[COLUMNS * row + index]);
    const [epochs, train, test] = [0, 1, 2].map(column);
    const finite = [...train, ...test].filter(Number.isFinite);
    const top = Math.max(...finite) || 1;
    const x = (epoch: number) =>
      MARGIN.left + (epoch / (epochs[count - 1] || 1)) * (WIDE - MARGIN.left - MARGIN.right);
    const y = (loss: number) => EDGE - MARGIN.bottom - (loss / top) * (EDGE - MARGIN.top - MARGIN.bottom);
    axes(context, theme, top, epochs[count - 1]);
    line(context, epochs.map(x), train.map(y), TRAIN[theme], []);
    line(context, epochs.map(x), test.map(y), TEST[theme], TEST_DASH);
    legend(context, theme);
  }
}

const pointsOf = (data: DataMessage) => ({
  task: data.task,
  train: { ...data.places("train"), predictions: null },
  test: { ...data.places("test"), predictions: null },
});

function canvas(width: number, height: number): HTMLCanvasElement {
  const made = document.createElement("canvas");
  made.style.cssText = `width:${width}px;height:${height}px;image-rendering:pixelated`;
  return made;
}

/** A context that draws in CSS pixels, sharp on every screen. */
function sharp(surface: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D | null {
  surface.width = Math.round(width * devicePixelRatio);
  surface.height = Math.round(height * devicePixelRatio);
  const context = surface.getContext("2d");
  context?.scale(devicePixelRatio, devicePixelRatio);
  return context;
}

const ink = (theme: Theme) => (theme === "dark" ? "rgb(200 206 214)" : "rgb(74 82 94)");

function axes(context: CanvasRenderingContext2D, theme: Theme, top: number, last: number): void {
  context.font = "11px system-ui, sans-serif";
  context.fillStyle = context.strokeStyle = ink(theme);
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(MARGIN.left, MARGIN.top);
  context.lineTo(MARGIN.left, EDGE - MARGIN.bottom);
  context.lineTo(WIDE - MARGIN.right, EDGE - MARGIN.bottom);
  context.stroke();
  context.textAlign = "right";
  context.fillText(top.toPrecision(2), MARGIN.left - 4, MARGIN.top + 6);
  context.fillText("0", MARGIN.left - 4, EDGE - MARGIN.bottom);
  context.fillText(`${word("top.epoch")} ${Math.floor(last)}`, WIDE - MARGIN.right, EDGE - 8);
  context.textAlign = "left";
  context.fillText(word("curves.loss"), MARGIN.left, MARGIN.top - 10);
}

function line(
  context: CanvasRenderingContext2D,
  x: number[],
  y: number[],
  colour: string,
  dash: number[],
): void {
  context.strokeStyle = colour;
  context.lineWidth = 1.5;
  context.setLineDash(dash);
  context.beginPath();
  for (let i = 0; i < x.length; i++) if (Number.isFinite(y[i])) context.lineTo(x[i], y[i]);
  context.stroke();
  context.setLineDash([]);
}

function legend(context: CanvasRenderingContext2D, theme: Theme): void {
  context.textAlign = "right";
  let end = WIDE - MARGIN.right;
  for (const [label, colour] of [
    [word("curves.test"), TEST[theme]],
    [word("curves.train"), TRAIN[theme]],
  ]) {
    context.fillStyle = colour;
    context.fillText(label, end, MARGIN.top - 10);
    end -= context.measureText(label).width + 10;
  }
}

/** The bytes of a trait, on their own: the arrays of a message lie on multiples of eight from its start. */
function whole({ buffer, byteOffset, byteLength }: DataView): ArrayBuffer {
  return buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
}

/** By what lies behind it: each notebook has themes of its own. */
function themeOf(element: Element | null): Theme {
  for (let here = element; here; here = here.parentElement) {
    const [red, green, blue, alpha = 1] =
      getComputedStyle(here)
        .backgroundColor.match(/[\d.]+/g)
        ?.map(Number) ?? [];
    if (alpha > 0 && blue !== undefined) return red + green + blue < 384 ? "dark" : "light";
  }
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}
