// Looking things up in the catalogue: what may be chosen, and the bounds and defaults of it.
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
