// Every word that a visitor reads is in backend/playground/i18n, one file for each language: the page's own
// words, and those of the server, which sends codes with values and English beside them. A file there is a language
// here; only the one that is shown is loaded beside English.
import en from "../../../backend/playground/i18n/en.json";
import { store, stored } from "../page/storage";
import type { Explained, Text, Value } from "../types";

export type Key = keyof typeof en;
/**
 * `{name}` stands for a value, `{name:,}` for a number in groups of digits, and
 * `{name, plural, one {# neuron} other {# neurons}}`, of ICU MessageFormat, for the form of a count; # is the count.
 */
type Words = Record<string, string>;

const CHOSEN = "playground.language";
const files = import.meta.glob<Words>(
  ["../../../backend/playground/i18n/*.json", "!../../../backend/playground/i18n/en.json"],
  { import: "default" },
);
const loaders = Object.fromEntries(
  Object.entries(files).map(([path, load]) => [path.split("/").at(-1)!.replace(".json", ""), load]),
);
const base = (tag: string) => tag.split("-")[0].toLowerCase();

/** The languages of the page, with their own names: "de" is "Deutsch". */
export const languages = ["en", ...Object.keys(loaders)].sort().map((code) => ({
  code,
  name: capital(new Intl.DisplayNames([code], { type: "language" }).of(code) ?? code),
}));

const page = typeof window !== "undefined";
const wanted = page ? navigator.languages : [];
const asked = page ? [new URLSearchParams(location.search).get("lang"), stored(localStorage, CHOSEN)] : [];
const known = [...asked, ...wanted]
  .map((tag) => base(tag ?? ""))
  .find((tag) => tag === "en" || tag in loaders);
const loaded = known === "en" ? undefined : await loaders[known ?? ""]?.().catch(() => undefined);
const words: Words = loaded ?? en;

/** Of the words: what `?lang=` asks for, or what was chosen here, or what the browser wishes. */
export const language = loaded ? known! : "en";
/** Of the numbers: the language as it is written where the visitor is. */
export const locale = wanted.find((tag) => base(tag) === language) ?? language;

/** Shows the page in another language, also the next time. */
export function speak(code: string): void {
  store(localStorage, CHOSEN, code);
  const url = new URL(location.href);
  url.searchParams.delete("lang");
  history.replaceState(history.state, "", url);
  location.reload();
}

const plurals = new Intl.PluralRules(language);
/** A number in a sentence: no exponent, however small it is. */
const figures = new Intl.NumberFormat(locale, { maximumSignificantDigits: 6, useGrouping: false });
const PLURAL = /\{(\w+), plural,((?: \w+ \{(?:[^{}]|\{[^{}]*\})*\})+)\}/g;
const FORM = /(\w+) \{((?:[^{}]|\{[^{}]*\})*)\}/g;

/** Between a number and its decimals. */
export const decimalSign =
  new Intl.NumberFormat(locale).formatToParts(0.5).find(({ type }) => type === "decimal")?.value ?? ".";
/** Digits with a decimal point, as the language writes them. */
export const written = (digits: string) => digits.replace(".", decimalSign);

if (page) {
  document.documentElement.lang = language;
  document.title = t("app.title");
}

/** The text of a key with these values in the places of their names. */
export function t(key: Key, values: Record<string, Value> = {}): string {
  const entry = words[key] ?? en[key] ?? key;
  const chosen = entry.replace(PLURAL, (_, name, forms) =>
    form(forms, Number(values[name])).replaceAll("#", `{${name}:,}`),
  );
  return chosen.replace(/\{(\w+)(:,)?\}/g, (whole, name, grouped) =>
    name in values ? shown(values[name], grouped !== undefined) : whole,
  );
}

/** As `t`, for keys that are made up at run time; `otherwise` when there is no such key. */
export function tMaybe(key: string, otherwise: string, values: Record<string, Value> = {}): string {
  return key in words || key in en ? t(key as Key, values) : otherwise;
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
  if (grouped) return value.toLocaleString(locale);
  return Number.isInteger(value) ? String(value) : figures.format(value);
}

function capital(name: string): string {
  return name.charAt(0).toLocaleUpperCase() + name.slice(1);
}
