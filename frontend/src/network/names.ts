// What the parts of the network are called on the page.
import { kindOf } from "../catalogue";
import { t, tMaybe } from "../i18n";
import type { Catalogue, Config, Task } from "../types";
import { waveOf } from "./fourier";
import type { Unit } from "./layout";
import { pretty, shortcutsOf, sourcesOf, subscript } from "./shape";

export interface Names {
  feature: (name: string) => string;
  unit: (unit: Unit) => string;
  /** The unit below that a weight of `layer` comes from. */
  source: (layer: number, source: number) => string;
  /** The same in a card where the layer goes without saying. */
  sourceInCard: (layer: number, source: number) => string;
  activation: (layer: number) => string;
  /** What its activation learns. */
  learned: (layer: number) => string[];
  /** What its normalisation learns. */
  normalized: (layer: number) => string[];
}

/** An input has the name of its column where the data have one. */
export function featureName(name: string, catalogue: Catalogue, task: Task | null): string {
  const wave = waveOf(name);
  if (wave) return `${wave % 2 ? "cos" : "sin"} b${subscript(Math.ceil(wave / 2))}`;
  const input = /^x(\d+)$/.exec(name);
  const column = input && task?.input_names[Number(input[1]) - 1];
  if (column && column !== name) return column;
  return kindOf(catalogue, "feature", name)?.label ?? pretty(name);
}

/** `offered`: all features of the data; `outputs`: units of the output layer. */
export function namesOf(
  config: Config,
  catalogue: Catalogue,
  task: Task | null,
  offered: string[],
  outputs: number,
): Names {
  const depth = config.hidden.length;

  const feature = (name: string) => featureName(name, catalogue, task);

  function unitName({ layer, unit }: Unit): string {
    if (layer < 0) return feature(offered[unit]);
    if (layer < depth) return t("network.unit", { layer: layer + 1, unit: unit + 1 });
    if (outputs === 1) return t("network.output");
    if (task?.kind === "embedding") return t("network.coordinate", { n: unit + 1 });
    const channel = task?.target_names?.[unit];
    if (channel) return t("network.output_of", { name: tMaybe(`output.channel.${channel}`, channel) });
    return t("network.output_of", { name: task?.class_labels[unit] ?? unit });
  }

  const sources = [...config.hidden, config.output].map((_, layer) =>
    sourcesOf(
      layer,
      config.features.length,
      [...config.hidden.map(({ width }) => width), outputs],
      shortcutsOf(config),
    ),
  );

  function source(layer: number, source: number): string {
    const from = sources[layer]?.[source];
    if (!from) return "";
    return from.layer < 0 ? feature(config.features[from.unit]) : unitName(from);
  }

  const kindAt = (layer: number) => (config.hidden.at(layer) ?? config.output).activation.kind;
  const activationAt = (layer: number) => kindOf(catalogue, "output_activation", kindAt(layer));

  return {
    feature,
    unit: unitName,
    source,
    sourceInCard: (layer, unit) => {
      const plain = layer > 0 && shortcutsOf(config)[layer] !== "dense";
      return plain ? t("network.neuron", { unit: unit + 1 }) : source(layer, unit);
    },
    activation: (layer) => activationAt(layer)?.label ?? kindAt(layer),
    learned: (layer) => activationAt(layer)?.learned ?? [],
    normalized: (layer) =>
      kindOf(catalogue, "normalization", config.hidden.at(layer)?.normalization.kind ?? "")?.learned ?? [],
  };
}
