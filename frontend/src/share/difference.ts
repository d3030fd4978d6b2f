// What the configs of several runs have in common and where they differ, in the words of the catalogue.
import { fieldOf, kindOf, parameterOf } from "../catalogue";
import { setting } from "../controls/numbers";
import { t, tMaybe } from "../i18n";
import { featureName } from "../network/names";
import type { Catalogue, Component, Config, Parameter } from "../types";

/** One field: what it is called, and its value in each config, null where that has no such field. */
export interface Row {
  path: string;
  label: string;
  values: (string | null)[];
}

interface Leaf {
  label: string;
  text: string;
  /** Equal exactly when the values are. */
  same: string;
  /** It says that something is not there. */
  nothing: boolean;
}

const LONGEST = 12; // entries of a list that are written one by one

/** `differing` in the order of the config. A layer or component that only some have is told by what it does. */
export function differenceOf(configs: Config[], catalogue: Catalogue): { differing: Row[]; shared: Row[] } {
  const all = configs.map((config) => leavesOf(config, catalogue));
  const parts = Object.keys(configs[0] ?? {});
  const part = (path: string) => parts.indexOf(path.split(".")[0]);
  const paths = [...new Set(all.flatMap((leaves) => [...leaves.keys()]))];
  const differing: Row[] = [];
  const shared: Row[] = [];
  for (const path of paths.sort((one, other) => part(one) - part(other))) {
    const leaves = all.map((each) => each.get(path) ?? null);
    const known = leaves.filter((leaf) => leaf !== null);
    const row = { path, label: known[0].label, values: leaves.map((leaf) => leaf?.text ?? null) };
    const everywhere = known.length === configs.length;
    if (everywhere && known.every(({ same }) => same === known[0].same)) shared.push(row);
    else if (everywhere || !known.every(({ nothing }) => nothing)) differing.push(row);
  }
  return { differing, shared };
}

/** Every field by its path: "optimizer" is the kind, "optimizer.lr" a parameter, "hidden.0.width" one of a layer. */
function leavesOf(config: Config, catalogue: Catalogue): Map<string, Leaf> {
  const found = new Map<string, Leaf>();
  const feature = (name: string) => featureName(name, catalogue, null);

  function take(path: string, labels: string[], value: unknown, parameter: Parameter | undefined): void {
    const add = (text: string, nothing: boolean, same: unknown = value) =>
      found.set(path, { label: labels.join(" · "), text, same: JSON.stringify(same), nothing });
    if (!isComponent(value)) {
      add(written(value), value === null || value === false || value === 0 || isEmpty(value));
      return;
    }
    const kind = kindOf(catalogue, parameter?.family ?? "", value.kind);
    add(kind?.label ?? value.kind, value.kind === "none", value.kind);
    for (const [name, inner] of Object.entries(value)) {
      const own = parameterOf(kind, name);
      if (name !== "kind") take(`${path}.${name}`, [...labels, own?.label ?? named(name)], inner, own);
    }
  }

  function takeAll(path: string, labels: string[], fields: object): void {
    for (const [name, value] of Object.entries(fields)) {
      const field = fieldOf(catalogue, `${path}${name}`.replace(/\.\d+/g, ""));
      take(`${path}${name}`, [...labels, field?.label ?? named(name)], value, field);
    }
  }

  const { version: _, hidden, output, features, ...fields } = config;
  take("features", [t("app.features")], features.map(feature), undefined);
  takeAll("", [], fields);
  for (const [i, layer] of hidden.entries())
    takeAll(`hidden.${i}.`, [t("network.layer", { layer: i + 1 })], layer);
  takeAll("output.", [t("curves.output_layer")], output);
  return found;
}

const isEmpty = (value: unknown) => Array.isArray(value) && value.length === 0;
const isComponent = (value: unknown): value is Component =>
  typeof value === "object" && value !== null && "kind" in value;

/** What the catalogue has no control for. */
const named = (name: string) => tMaybe(`compare.field.${name}`, name.replaceAll("_", " "));

function written(value: unknown): string {
  if (value === null) return t("field.none");
  if (isEmpty(value)) return t("compare.none");
  if (typeof value === "boolean") return t(value ? "field.on" : "field.off");
  if (!Array.isArray(value)) return setting(value);
  if (value.length > LONGEST || value.some((entry) => typeof entry === "object"))
    return t("compare.entries", { n: value.length });
  return value.map(setting).join(", ");
}
