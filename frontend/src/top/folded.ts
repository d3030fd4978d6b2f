// Which settings of the training are shown at once, and how much of the rest differs from the default. The catalogue
// says it, so that a new setting needs nothing here.
import { kindOf } from "../catalogue";
import { isSmall } from "../network/settings";
import type { Catalogue, Component, Config, FieldOfConfig, Parameter, Task } from "../types";

/** A setting: a field of the config, or a parameter of the component that such a field holds. */
export interface Setting {
  path: string;
  parameter: Parameter;
  /** Of a parameter: the field that holds its component. */
  of?: FieldOfConfig;
}

/** In data and layers, which have panels of their own. */
const ELSEWHERE = /^data$|^hidden\.|^output\./;

const place = ({ parameter }: Setting) => parameter.first ?? Number.POSITIVE_INFINITY;

/** The settings that come first, in their order. */
export function firstOf(catalogue: Catalogue, config: Config): Setting[] {
  const all = catalogue.fields.flatMap((field): Setting[] => {
    const own = { path: field.path, parameter: field };
    const value = config[field.name as keyof Config];
    if (field.type !== "component" || ELSEWHERE.test(field.path)) return [own];
    const parameters = kindOf(catalogue, field.family ?? "", (value as Component).kind)?.parameters ?? [];
    return [
      own,
      ...parameters.map((parameter) => ({ path: `${field.path}.${parameter.name}`, parameter, of: field })),
    ];
  });
  return all
    .filter(({ path, parameter }) => parameter.first !== null && !isOfEachLayer(catalogue, path))
    .sort((a, b) => place(a) - place(b));
}

/** What a layer may have or not is set where the layer is drawn. */
function isOfEachLayer(catalogue: Catalogue, path: string): boolean {
  const field = catalogue.fields.find((one) => one.path === path && path.startsWith("hidden."));
  return field !== undefined && isSmall(catalogue, field);
}

/** The fields that wait behind "more". */
export const foldedOf = (catalogue: Catalogue): FieldOfConfig[] =>
  catalogue.fields.filter(({ path, first }) => first === null && !ELSEWHERE.test(path));

/** Whether a setting is other than it begins. A loss that the data ask for is no choice. */
export function differs(
  catalogue: Catalogue,
  field: FieldOfConfig,
  value: unknown,
  task: Task | null,
): boolean {
  const usual = catalogue.default[field.name as keyof Config];
  if (field.type !== "component") return value !== usual;
  const kinds = catalogue.components[field.family ?? ""] ?? [];
  const { kind, ...parameters } = value as Component;
  const fitting = kinds.filter(({ tasks }) => !task || !tasks || tasks.includes(task.data_kind));
  const first = fitting.find((one) => one.kind === (usual as Component).kind) ?? fitting[0];
  if (kind !== first?.kind) return true;
  return first.parameters.some(({ name, default: initial }) => parameters[name] !== initial);
}
