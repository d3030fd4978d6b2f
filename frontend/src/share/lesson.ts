// A page for a lesson: which parts a link can hide, and the link and the frame that do.
import { fieldOf } from "../catalogue";
import { type Key, t } from "../i18n";
import type { Catalogue } from "../types";

interface Group {
  title: Key;
  /** As `?hide=` takes them. */
  names: string[];
}

export const GROUPS: Group[] = [
  { title: "share.group.panels", names: ["data", "network", "output", "curves", "settings"] },
  {
    title: "share.group.top",
    names: ["reset", "play", "step", "speed", "undo", "new", "link", "language", "theme", "present"],
  },
  {
    title: "share.group.settings",
    names: [
      "lr",
      "optimizer",
      "loss",
      "activation",
      "output_activation",
      "batch_size",
      "l1",
      "l1_prunes",
      "l2",
      "elastic_net",
      "clip_norm",
      "clip_value",
      "max_norm",
      "init",
      "seed",
      "shuffle",
      "carry_remainder",
      "input_dropout",
      "input_noise",
      "augmentation",
      "stopping",
    ],
  },
  {
    title: "share.group.network",
    names: ["features", "layers", "neurons", "normalization", "dropout", "frozen", "weights"],
  },
  { title: "share.group.data", names: ["dataset", "regenerate", "csv"] },
  {
    title: "share.group.output",
    names: ["draw", "test_points", "discretise", "confusion", "score_curves", "residuals", "embedding"],
  },
];

/** What they are called on the page; the others are fields of the catalogue. */
const KEYS: Record<string, Key> = {
  data: "app.data",
  network: "app.network",
  output: "app.output",
  curves: "app.curves",
  settings: "share.part.settings",
  reset: "top.reset",
  play: "top.play",
  step: "top.step",
  speed: "top.speed",
  undo: "top.undo",
  new: "top.new",
  link: "share.title",
  language: "top.language",
  theme: "share.part.theme",
  present: "share.part.present",
  lr: "share.part.lr",
  activation: "top.activation",
  output_activation: "top.output_activation",
  elastic_net: "top.elastic",
  features: "app.features",
  layers: "share.part.layers",
  neurons: "network.neurons",
  weights: "share.part.weights",
  dataset: "share.part.dataset",
  regenerate: "data.regenerate",
  csv: "share.part.csv",
  draw: "output.tools",
  test_points: "output.show_test",
  discretise: "output.discretise",
  confusion: "output.confusion",
  score_curves: "output.curves",
  residuals: "output.residuals",
  embedding: "output.embedding.plane",
};

export function nameOf(catalogue: Catalogue, name: string): string {
  if (KEYS[name]) return t(KEYS[name]);
  return (fieldOf(catalogue, name) ?? fieldOf(catalogue, `hidden.${name}`))?.label ?? name;
}

/** `page`: the address of this page, with the experiment after its "#". */
export function lessonLink(page: string, root: string, embedded: boolean, hidden: string[]): string {
  const { origin, hash } = new URL(page);
  const query = hidden.length ? `?hide=${hidden.join(",")}` : "";
  return `${origin}${root}/${embedded ? "embed" : ""}${query}${hash}`;
}

/** For the HTML of another page. */
export function frameOf(address: string, title: string, height: number): string {
  const safe = (text: string) => text.replaceAll("&", "&amp;").replaceAll('"', "&quot;");
  return `<iframe src="${safe(address)}" title="${safe(title)}" width="100%" height="${height}" style="border: 0" loading="lazy"></iframe>`;
}
