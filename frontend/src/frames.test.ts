import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Frame } from "./wire";

const frame = (n: number) => new Frame({ frame: n }, {}, {});
let refresh: () => void;

beforeEach(() => {
  vi.resetModules();
  const due: (() => void)[] = [];
  vi.stubGlobal("requestAnimationFrame", (callback: () => void) => due.push(callback));
  vi.stubGlobal("reportError", vi.fn());
  refresh = () => {
    for (const callback of due.splice(0)) callback();
  };
});

afterEach(() => vi.unstubAllGlobals());

it("paints one frame a refresh, lets one wait, and skips what is older", async () => {
  const { deliver, onDrawn, onFrame } = await import("./frames");
  const painted: number[] = [];
  const acknowledged: number[] = [];
  onFrame((each) => painted.push(each.frame));
  onDrawn((each) => acknowledged.push(each.frame));
  for (const number of [1, 2, 3]) deliver(frame(number));
  painted.length = 0;
  refresh();
  expect(painted).toEqual([2]);
  refresh();
  refresh();
  expect(painted).toEqual([2, 3]);
  expect(acknowledged).toEqual([2, 3]);
});

it("holds a frame that may not be painted, and shows the last one when it may", async () => {
  const { deliver, guard, latest, onDrawn, onFrame } = await import("./frames");
  const painted: number[] = [];
  const acknowledged: number[] = [];
  const refused = new Set([2, 3]);
  onFrame((each) => painted.push(each.frame));
  onDrawn((each) => acknowledged.push(each.frame));
  guard((each) => !refused.has(each.frame));
  for (const number of [1, 2, 3]) {
    deliver(frame(number));
    refresh();
  }
  expect(painted).toEqual([1]);
  expect(latest()?.frame).toBe(1);
  expect(acknowledged, "the server goes on").toEqual([1, 2, 3]);
  refused.clear();
  refresh();
  refresh();
  expect(painted).toEqual([1, 3]);
  expect(acknowledged).toEqual([1, 2, 3]);
});

it("shows a new painter the last frame at once", async () => {
  const { deliver, onFrame } = await import("./frames");
  deliver(frame(5));
  refresh();
  const painted: number[] = [];
  const stop = onFrame((each) => painted.push(each.frame));
  expect(painted).toEqual([5]);
  stop();
  deliver(frame(6));
  refresh();
  expect(painted).toEqual([5]);
});

it("keeps painting the others when one painter fails", async () => {
  const { deliver, onFrame } = await import("./frames");
  const painted: number[] = [];
  onFrame(() => {
    throw new Error("broken");
  });
  onFrame((each) => painted.push(each.frame));
  deliver(frame(1));
  refresh();
  expect(painted).toEqual([1]);
  expect(reportError).toHaveBeenCalledOnce();
});
