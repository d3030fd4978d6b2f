// The panels of the page and where each stands: one more panel is one more entry, and its title in i18n.
import type { Component } from "svelte";
import type { Place } from "./arrangement";
import CurvesPanel from "./curves/CurvesPanel.svelte";
import DataPanel from "./data/DataPanel.svelte";
import type { Key } from "./i18n";
import NetworkPanel from "./network/NetworkPanel.svelte";
import OutputPanel from "./output/OutputPanel.svelte";

export interface Panel {
  /** Its name in `?hide=`, and its area of the grid. */
  id: string;
  title: Key;
  component: Component;
  place: Place;
}

export const panels: Panel[] = [
  { id: "data", title: "app.data", component: DataPanel, place: "left" },
  { id: "network", title: "app.network", component: NetworkPanel, place: "centre" },
  { id: "output", title: "app.output", component: OutputPanel, place: "right" },
  { id: "curves", title: "app.curves", component: CurvesPanel, place: "centre" },
];
