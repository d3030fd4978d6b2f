// Looking things up in the catalogue: what may be chosen, and the bounds and defaults of it.
import { tMaybe } from "./i18n";
import type { Catalogue, Component, Kind, Parameter } from "./types";

export const kindOf = (catalogue: Catalogue, family: string, kind: string): Kind | undefined =>
  catalogue.components[family]?.find((entry) => entry.kind === kind);

/** A scalar of the config: "batch_size", "hidden.width". */
export const fieldOf = (catalogue: Catalogue, path: string): Parameter | undefined =>
  catalogue.fields.find((field) => field.path === path);

/** A parameter of a component. */
export const parameterOf = (kind: Kind | undefined, name: string): Parameter | undefined =>
  kind?.parameters.find((parameter) => parameter.name === name);

/** The share of training points in these data or, where they have none yet, what data of `kind` begin with. */
export const trainFractionOf = (catalogue: Catalogue, data: Component, kind: string): number =>
  Number(data.train_fraction ?? parameterOf(kindOf(catalogue, "data", kind), "train_fraction")?.default);

/** The catalogue in the words of the page; in the server's English where it has none. */
export function worded(catalogue: Catalogue): Catalogue {
  const say = <Part extends Pick<Parameter, "code" | "label" | "help">>(part: Part): Part => ({
    ...part,
    label: tMaybe(part.code, part.label),
    help: tMaybe(`${part.code}.help`, part.help),
  });
  const kinds = (family: Kind[]) =>
    family.map((kind) => ({
      ...say(kind),
      parameters: kind.parameters.map(say),
      slots: kind.slots.map(say),
    }));
  const families = Object.entries(catalogue.components).map(([name, family]) => [name, kinds(family)]);
  return { ...catalogue, components: Object.fromEntries(families), fields: catalogue.fields.map(say) };
}
