// The settings of a layer: from the catalogue, none of them known here by its name.
import { kindOf } from "../catalogue";
import { percent } from "../figures";
import { t } from "../i18n";
import type { Catalogue, Component, FieldOfConfig, Kind, Layer, Output, Patch } from "../types";

type Choice = string | number | boolean;

/** A setting of one layer. */
export interface Setting {
  field: FieldOfConfig;
  /** Its value; of a component, the kind. */
  choice: Choice;
  /** Of a component: what there is to choose from, and what is chosen. */
  kinds: Kind[];
  kind?: Kind;
  /** Whether it does anything. */
  on: boolean;
  /** It fits into a small button: it can be off, or is a share. */
  small: boolean;
}

const LAYER = "hidden.";
const OUTPUT = "output.";
const COUNT = "hidden.width"; // it is drawn as units
const NOTHING = "none";

/** The settings of a hidden layer in the catalogue's order. */
export function settingsOf(catalogue: Catalogue, layer: Layer): Setting[] {
  return catalogue.fields
    .filter(({ path }) => path.startsWith(LAYER) && path !== COUNT)
    .map((field) => setting(catalogue, field, layer[field.name as keyof Layer]));
}

/** Likewise of the output layer. */
export function settingsOfOutput(catalogue: Catalogue, output: Output): Setting[] {
  return catalogue.fields
    .filter(({ path }) => path.startsWith(OUTPUT))
    .map((field) => setting(catalogue, field, output[field.name as keyof Output]));
}

function setting(catalogue: Catalogue, field: FieldOfConfig, value: unknown): Setting {
  const family = field.family ?? "";
  const kinds = catalogue.components[family] ?? [];
  const choice = field.type === "component" ? (value as Component).kind : (value as number | boolean);
  const kind = kindOf(catalogue, family, String(choice));
  const small = isSmall(catalogue, field);
  return { field, choice, kinds, kind, small, on: Boolean(choice) && choice !== NOTHING };
}

/** Whether it can be off, or is a share. */
export function isSmall(catalogue: Catalogue, field: FieldOfConfig): boolean {
  const share = field.type === "number" && field.minimum === 0 && (field.maximum ?? 2) <= 1;
  const kinds = catalogue.components[field.family ?? ""] ?? [];
  return share || field.type === "boolean" || kinds.some((one) => one.kind === NOTHING);
}

/** Whether it touches only a part of the units at a time. */
export const isPartial = ({ small, on, choice }: Setting): boolean =>
  small && on && typeof choice === "number";

/** The patch of the layer that makes this choice. */
export const choosing = ({ field, kind }: Setting, choice: Choice): Patch => ({
  [field.name]: kind ? { kind: choice } : choice,
});

/** Settings with a row of their own in the header of a layer, and those that share one; the rest is in its card. */
export function inHeader(settings: Setting[], shown: (name: string) => boolean) {
  const visible = settings.filter(({ field }) => !field.in_card && shown(field.name));
  return {
    large: visible.filter(({ kind, small }) => kind && !small),
    small: visible.filter(({ small }) => small),
  };
}

/** The number of rows in the header of a layer. */
export function headerRows(settings: Setting[], shown: (name: string) => boolean): number {
  const { large, small } = inHeader(settings, shown);
  return Number(shown("neurons")) + large.length + Number(small.length > 0 || shown("layers"));
}

/** What there is to choose from in a small button. */
export function optionsOf({ field, kinds, choice }: Setting): { value: Choice; label: string }[] {
  if (kinds.length) return kinds.map(({ kind, label }) => ({ value: kind, label }));
  if (field.type === "boolean") return [true, false].map((on) => ({ value: on, label: onOrOff(on) }));
  const tenths = Array.from({ length: 11 }, (_, tenth) => tenth / 10);
  const offered = new Set([...tenths.filter((share) => share <= (field.maximum ?? 1)), Number(choice)]);
  const label = (share: number) => `${field.label}: ${share ? percent(share, 0) : onOrOff(false)}`;
  return [...offered].sort((a, b) => a - b).map((share) => ({ value: share, label: label(share) }));
}

/** "BN", "20%", or the beginning of its name while it does nothing. */
export function shortly({ field, kind, choice, on }: Setting): string {
  if (on && kind) return initials(kind.label);
  if (on && typeof choice === "number") return percent(choice, 0);
  return field.label.slice(0, 4).toLowerCase();
}

/** "Dropout: 20%". */
export function inWords({ field, kind, choice }: Setting): string {
  const said = kind?.label ?? (typeof choice === "number" ? percent(choice, 0) : onOrOff(Boolean(choice)));
  return `${field.label}: ${said}`;
}

const onOrOff = (on: boolean) => t(on ? "field.on" : "field.off");

/** "Batch normalisation" -> "BN", "Normalización por lotes" -> "NL". */
function initials(label: string): string {
  const words = label.split(/[\s-]+/);
  const ends = words.length > 1 ? [words[0], words[words.length - 1]] : words;
  return ends.map((word) => word.charAt(0).toUpperCase()).join("");
}
