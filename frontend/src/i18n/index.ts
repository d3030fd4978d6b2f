// Every word that a visitor reads is in backend/playground/i18n, one file for each language: the page's own
// words, and those of the server, which sends codes with values and English beside them.
import en from "../../../backend/playground/i18n/en.json";
import type { Explained, Text, Value } from "../types";

export type Key = keyof typeof en;
/**
 * `{name}` stands for a value, `{name:,}` for a number in groups of digits, and
 * `{name, plural, one {# neuron} other {# neurons}}`, of ICU MessageFormat, for the form of a count; # is the count.
 */
type Words = Record<Key, string>;

const languages: Record<string, Words> = { en };

const wanted = typeof navigator === "undefined" ? ["en"] : navigator.languages;
export const language = wanted.map((tag) => tag.split("-")[0]).find((tag) => tag in languages) ?? "en";
const words = languages[language];
const plurals = new Intl.PluralRules(language);
/** A number in a sentence: no exponent, however small it is. */
const figures = new Intl.NumberFormat(language, { maximumSignificantDigits: 6, useGrouping: false });
const PLURAL = /\{(\w+), plural,((?: \w+ \{(?:[^{}]|\{[^{}]*\})*\})+)\}/g;
const FORM = /(\w+) \{((?:[^{}]|\{[^{}]*\})*)\}/g;

/** The text of a key with these values in the places of their names. */
export function t(key: Key, values: Record<string, Value> = {}): string {
  const entry = words[key] ?? key;
  const chosen = entry.replace(PLURAL, (_, name, forms) =>
    form(forms, Number(values[name])).replaceAll("#", `{${name}:,}`),
  );
  return chosen.replace(/\{(\w+)(:,)?\}/g, (whole, name, grouped) =>
    name in values ? shown(values[name], grouped !== undefined) : whole,
  );
}

/** As `t`, for keys that are made up at run time; `otherwise` when there is no such key. */
export function tMaybe(key: string, otherwise: string, values: Record<string, Value> = {}): string {
  return key in words ? t(key as Key, values) : otherwise;
}

/** What the server says; in its English where this page has no words for it. */
export const said = ({ code, values, text }: Text): string => tMaybe(code, text, values);

/** The parts of something that the server says. */
export const joined = (texts: Text[], separator = ", "): string => texts.map(said).join(separator);

/** What the server says of a failure, a notice or a divergence. */
export const explained = ({ code, values, detail }: Explained): string =>
  said({ code: code ?? "", values: values ?? {}, text: detail });

/** Of the forms of a plural the one for this count. */
function form(forms: string, count: number): string {
  const texts = Object.fromEntries(
    Array.from(forms.matchAll(FORM), ([, category, text]) => [category, text]),
  );
  return texts[plurals.select(count)] ?? texts.other;
}

function shown(value: Value, grouped: boolean): string {
  if (Array.isArray(value)) return value.join(", ");
  if (typeof value === "object") return said(value);
  if (typeof value === "string") return value;
  if (grouped) return value.toLocaleString(language);
  return Number.isInteger(value) ? String(value) : figures.format(value);
}
