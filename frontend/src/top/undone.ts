// What undoing brings back, in a few words: "Learning rate 10 → 0.03".

import { setting } from "../controls/numbers";
import { joined, t } from "../i18n";
import type { Catalogue, Component, Config, Entry } from "../types";

const written = (value: unknown) =>
  value === null
    ? t("field.none")
    : typeof value === "boolean"
      ? t(value ? "field.on" : "field.off")
      : setting(value);

/** Null where it takes more than one pair of values to tell. */
function pair(undo: Entry["undo"], config: Config, catalogue: Catalogue): string | null {
  const [[name, to], ...more] = Object.entries(undo);
  if (more.length) return null;
  const from = config[name as keyof Config];
  if (typeof to !== "object" || to === null) {
    if (typeof from === "object" && from !== null) return null;
    const label = catalogue.fields.find(({ path }) => path === name)?.label ?? name;
    return `${label} ${written(from)} → ${written(to)}`;
  }
  const kinds = catalogue.components[name];
  const [before, after] = [from as unknown as Component, to as Component];
  if (!kinds || Array.isArray(to)) return null;
  const kind = (component: Component) => kinds.find((entry) => entry.kind === component.kind);
  if (after.kind && after.kind !== before.kind)
    return `${kind(before)?.label ?? before.kind} → ${kind(after)?.label ?? after.kind}`;
  const changed = Object.keys(to).filter((parameter) => parameter !== "kind");
  const [only] = changed;
  const value = after[only];
  if (changed.length !== 1 || (typeof value === "object" && value !== null)) return null;
  const label = kind(before)?.parameters.find((parameter) => parameter.name === only)?.label ?? only;
  return `${label} ${written(before[only])} → ${written(value)}`;
}

/** What the button of undo says: what it brings back, or else the change that it takes back. */
export function undoing(entry: Entry, config: Config, catalogue: Catalogue): string {
  const brought = entry.weights ? null : pair(entry.undo, config, catalogue);
  const change = brought ?? joined(entry.label);
  const epoch = Math.floor(entry.epoch);
  if (entry.checkpoint != null) return t("top.undo_back", { change, epoch });
  return brought ? t("top.undo_to", { change }) : t("top.undo_what", { label: change });
}
