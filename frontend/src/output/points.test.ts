import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { classColour } from "../colours";
import { type Look, type PointSet, paintSets } from "./points";

const ORANGE = classColour("light", 0);
const BLUE = classColour("light", 1);
/** A point of each class; the network takes both for the second. */
const points: PointSet = {
  inputs: [-3, 0, 9, 3, 0, 9],
  targets: [0, 1],
  columns: 3,
  copies: 0,
  predictions: [1, 1],
};
const look: Look = {
  theme: "light",
  size: 300,
  extent: 6,
  regression: false,
  scale: 1,
  markWrong: true,
  grounds: false,
};

/** Which colours are filled, and in how many shapes. */
let filled: [colour: unknown, shapes: number][];
let canvas: HTMLCanvasElement;

beforeEach(() => {
  class Path {
    shapes = 0;
    moveTo() {
      this.shapes++;
    }
    lineTo() {}
    arc() {}
    closePath() {}
  }
  vi.stubGlobal("Path2D", Path);
  vi.stubGlobal("devicePixelRatio", 1);
  filled = [];
  const context = {
    fillStyle: "",
    globalAlpha: 1,
    setTransform() {},
    clearRect() {},
    stroke() {},
    fill(path: Path) {
      if (this.globalAlpha === 1) filled.push([this.fillStyle, path.shapes]);
    },
  };
  canvas = { width: 0, height: 0, getContext: () => context } as unknown as HTMLCanvasElement;
});

afterEach(() => vi.unstubAllGlobals());

it("shows each point in the colour of its class, and counts those that it marks as wrong", () => {
  expect(paintSets(canvas, { train: points }, look)).toBe(1);
  expect(filled).toEqual([
    [ORANGE, 1],
    [BLUE, 1],
  ]);
  expect(paintSets(canvas, { train: points }, { ...look, markWrong: false })).toBe(0);
});

it("paints copies faintly, under the points that they are of, and marks none of them as wrong", () => {
  const alphas: number[] = [];
  const context = canvas.getContext("2d") as CanvasRenderingContext2D;
  context.fill = () => void alphas.push(context.globalAlpha ?? 1);
  expect(paintSets(canvas, { train: { ...points, copies: 1 } }, look)).toBe(1);
  expect(alphas).toEqual([0.35, 1]);
  expect(paintSets(canvas, { train: { ...points, copies: 2 } }, look)).toBe(0);
});

it("lets each stand on its own prediction where the map shows that of other inputs", () => {
  paintSets(canvas, { train: points }, { ...look, grounds: true });
  expect(filled).toEqual([
    [BLUE, 2],
    [ORANGE, 1],
    [BLUE, 1],
  ]);
});

it("has no such ground before the network has answered", () => {
  expect(paintSets(canvas, { train: { ...points, predictions: null } }, { ...look, grounds: true })).toBe(0);
  expect(filled).toHaveLength(2);
});

it("lets the points of a cell of the confusion matrix stand out, and none where another set is meant", () => {
  const lit = { part: "train" as const, truth: 0, answer: 1 };
  expect(paintSets(canvas, { train: points, test: points }, { ...look, lit })).toBe(1);
  expect(filled).toEqual([[ORANGE, 1]]);
  filled = [];
  expect(paintSets(canvas, { train: points }, { ...look, lit: { ...lit, part: "test" } })).toBe(0);
  expect(filled).toEqual([]);
});
