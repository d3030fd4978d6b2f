// What a refusal of the server says to a visitor.
import { fieldOf, kindOf, parameterOf } from "../catalogue";
import { t } from "../i18n";
import type { Catalogue, Component, Config, Failure, Family } from "../types";

/** The first error, with the name that its control has on the page. */
export function sentence(failure: Failure, config: Config | null, catalogue: Catalogue | null): string {
  const error = failure.errors?.[0];
  if (!error) return failure.detail || failure.title;
  const label = catalogue && labelOf(error.field, config, catalogue);
  if (!label) return error.message;
  const rule = /^(must|may|is) /.test(error.message);
  return t(rule ? "refused.rule" : "refused.field", { label, message: error.message });
}

function labelOf(path: string, config: Config | null, catalogue: Catalogue): string | undefined {
  const [family, name] = path.split(".");
  const component = config?.[family as keyof Config] as Component | undefined;
  const kind = kindOf(catalogue, family as Family, component?.kind ?? "");
  return parameterOf(kind, name)?.label ?? fieldOf(catalogue, path.replace(/\.\d+/g, ""))?.label;
}
