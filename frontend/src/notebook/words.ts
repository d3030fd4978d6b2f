// The words of the notebook: few, so that they travel with it in every language.
import type { Key } from "../i18n";

const files = import.meta.glob<Record<string, string>>("../../../backend/playground/i18n/*.json", {
  eager: true,
  import: "default",
});
const known = Object.fromEntries(
  Object.entries(files).map(([path, words]) => [path.split("/").at(-1)!.replace(".json", ""), words]),
);
const language = navigator.languages.map((tag) => tag.split("-")[0]).find((code) => code in known) ?? "en";

export const word = (key: Key): string => known[language][key] ?? known.en[key];
