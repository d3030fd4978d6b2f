// Every word that a visitor reads is in a file for each language, which page and server share.
import en from "../../../backend/playground/i18n/en.json";
import type { Explained, Text, Value } from "../types";

export type Key = keyof typeof en;
/** A plural is chosen by the value `count`. */
type Words = Record<Key, string | { one: string; other: string }>;

const languages: Record<string, Words> = { en };

const wanted = typeof navigator === "undefined" ? ["en"] : navigator.languages;
export const language = wanted.map((tag) => tag.split("-")[0]).find((tag) => tag in languages) ?? "en";
const words = languages[language];
const plurals = new Intl.PluralRules(language);
const numbers = new Intl.NumberFormat(language, { maximumSignificantDigits: 6 });
const wholes = new Intl.NumberFormat(language);

/** The text of a key; `{name}` in it is replaced by `vars.name`. */
export function t(key: Key, vars: Record<string, string | number> = {}): string {
  return filled(key, vars, vars.count);
}

/** As `t`, for keys that are made up at run time; `otherwise` when there is no such key. */
export function tMaybe(key: string, otherwise: string, vars: Record<string, string | number> = {}): string {
  return key in words ? t(key as Key, vars) : otherwise;
}

/** What the server says, in the language of this page; its English where there is no translation. */
export function said({ code, values, text }: Text): string {
  if (!(code in words)) return text;
  const shown = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, written(value)]));
  return filled(code as Key, shown, values.count);
}

/** The same of what comes with its English as `detail`. */
export const explained = ({ detail, code = "", values = {} }: Explained): string =>
  said({ code, values, text: detail });

/** `count` chooses the plural. */
function filled(key: Key, vars: Record<string, string | number>, count: unknown): string {
  const entry = words[key] ?? key;
  const one = typeof count === "number" && plurals.select(count) === "one";
  const form = typeof entry === "string" ? entry : one ? entry.one : entry.other;
  return form.replace(/\{(\w+)\}/g, (whole, name) => (name in vars ? String(vars[name]) : whole));
}

function written(value: Value): string {
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return value.join(", ");
  if (typeof value === "object") return said(value);
  return Number.isInteger(value) ? wholes.format(value) : numbers.format(value);
}
