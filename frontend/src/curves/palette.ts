// Colours of the lines: neither orange nor blue, which are values and classes on this page. Train and test differ in
// lightness and dash too; layers differ in lightness with their depth. Runs that are compared have the classes' colours.
import { classColour, type Theme } from "../colours";

type RGB = [number, number, number];

const DEPTH: Record<Theme, RGB[]> = {
  light: [
    [60, 16, 92],
    [136, 36, 132],
    [206, 84, 150],
  ],
  dark: [
    [160, 104, 212],
    [222, 128, 206],
    [255, 200, 232],
  ],
};

export const TRAIN: Record<Theme, string> = { light: "rgb(112 28 150)", dark: "rgb(206 150 255)" };
export const TEST: Record<Theme, string> = { light: "rgb(0 146 90)", dark: "rgb(60 170 110)" };
export const TEST_DASH = [6, 3];

export function depthColour(theme: Theme, layer: number, layers: number): string {
  const stops = DEPTH[theme];
  const place = layers > 1 ? (layer / (layers - 1)) * (stops.length - 1) : 1;
  const below = Math.min(Math.floor(place), stops.length - 2);
  const channel = (c: number) =>
    Math.round(stops[below][c] + (stops[below + 1][c] - stops[below][c]) * (place - below));
  return `rgb(${channel(0)} ${channel(1)} ${channel(2)})`;
}

const RUN_DASHES = [undefined, [9, 4], [3, 3], [12, 4, 3, 4], [6, 2], [2, 5]];

/** What tells one of several runs from the others, with its letter. */
export const runLook = (theme: Theme, i: number): { colour: string; dash?: number[] } => ({
  colour: classColour(theme, i),
  dash: RUN_DASHES[i % RUN_DASHES.length],
});
