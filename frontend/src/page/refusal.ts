// What a refusal of the server says to a visitor.
import { fieldOf, kindOf, parameterOf } from "../catalogue";
import { explained, said, t } from "../i18n";
import type { Catalogue, Component, Config, Failure } from "../types";

/** The first error, with the name that its control has on the page. */
export function sentence(failure: Failure, config: Config | null, catalogue: Catalogue | null): string {
  const error = failure.errors?.[0];
  if (!error) return explained(failure) || failure.title;
  const message = said({ ...error, text: error.message });
  const label = catalogue && labelOf(error.field, config, catalogue);
  if (!label) return message;
  const rule = /^(must|may|is) /.test(error.message);
  return t(rule ? "refused.rule" : "refused.field", { label, message });
}

function labelOf(path: string, config: Config | null, catalogue: Catalogue): string | undefined {
  const [family, name] = path.split(".");
  const component = config?.[family as keyof Config] as Component | undefined;
  const kind = kindOf(catalogue, family, component?.kind ?? "");
  return parameterOf(kind, name)?.label ?? fieldOf(catalogue, path.replace(/\.\d+/g, ""))?.label;
}
