// What the server says of a value that it does not accept, in the words of the page.
import { setting } from "./controls/numbers";
import { type Key, t } from "./i18n";

const RULES: [RegExp, Key][] = [
  [/^Input should be less than or equal to (\S+)$/, "refused.at_most"],
  [/^Input should be greater than or equal to (\S+)$/, "refused.at_least"],
  [/^Input should be less than (\S+)$/, "refused.below"],
  [/^Input should be greater than (\S+)$/, "refused.above"],
  [/^Input should be a valid integer/, "refused.whole"],
  [/^Input should be a (?:valid|finite) number/, "refused.number"],
];

/** One sentence about a field that has a `label` on the page, or about one that has none. */
export function refusal(message: string, label?: string): string {
  if (!label) return message;
  for (const [pattern, key] of RULES) {
    const found = pattern.exec(message);
    if (found) return t(key, { label, bound: setting(Number(found[1])) });
  }
  return `${label}: ${message}`;
}
