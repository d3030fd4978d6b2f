// Every word that a visitor reads is in a file of this folder, one for each language.
import en from "./en.json";

export type Key = keyof typeof en;
type Words = Record<Key, string>;

const languages: Record<string, Words> = { en };

const wanted = typeof navigator === "undefined" ? ["en"] : navigator.languages;
export const language = wanted.map((tag) => tag.split("-")[0]).find((tag) => tag in languages) ?? "en";
const words = languages[language];

/** The text of a key; `{name}` in it is replaced by `vars.name`. */
export function t(key: Key, vars: Record<string, string | number> = {}): string {
  return (words[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) =>
    name in vars ? String(vars[name]) : whole,
  );
}

/** As `t`, for keys that are made up at run time; `otherwise` when there is no such key. */
export function tMaybe(key: string, otherwise: string, vars: Record<string, string | number> = {}): string {
  return key in words ? t(key as Key, vars) : otherwise;
}
