// Colours of the lines. Train and test differ in dash too; layers go from dark to light with their depth.
import type { Theme } from "../colours";

type RGB = [number, number, number];

// Viridis, cut where it would vanish into the panel.
const DEPTH: Record<Theme, RGB[]> = {
  light: [
    [72, 20, 104],
    [51, 99, 141],
    [31, 146, 130],
    [112, 160, 30],
  ],
  dark: [
    [176, 140, 240],
    [96, 160, 232],
    [64, 196, 160],
    [226, 220, 90],
  ],
};

export const TRAIN: Record<Theme, string> = { light: "rgb(11 98 196)", dark: "rgb(108 178 255)" };
export const TEST: Record<Theme, string> = { light: "rgb(190 84 0)", dark: "rgb(250 170 80)" };
export const TEST_DASH = [5, 3];

export function depthColour(theme: Theme, layer: number, layers: number): string {
  const stops = DEPTH[theme];
  const place = layers > 1 ? (layer / (layers - 1)) * (stops.length - 1) : 1;
  const below = Math.min(Math.floor(place), stops.length - 2);
  const channel = (c: number) =>
    Math.round(stops[below][c] + (stops[below + 1][c] - stops[below][c]) * (place - below));
  return `rgb(${channel(0)} ${channel(1)} ${channel(2)})`;
}
