// The keys of the runs that this browser has kept: with them they are renamed and deleted.
import { t } from "../i18n";
import { store, stored } from "../page/storage";
import type { Config, KeptRun } from "../types";

const STORAGE = "playground.runs";

function keys(): Record<string, string> {
  try {
    return JSON.parse(stored(localStorage, STORAGE) ?? "{}");
  } catch {
    return {};
  }
}

export const keyOf = (run: string): string | null => keys()[run] ?? null;

/** Null forgets it. */
export function noteKey(run: string, key: string | null): void {
  const { [run]: _, ...others } = keys();
  store(localStorage, STORAGE, JSON.stringify(key ? { ...others, [run]: key } : others));
}

/** What a run may be called, until somebody finds a better name: "spiral 8-8 adam". */
export function nameFor({ data, hidden, optimizer }: Config): string {
  const shape = hidden.map((layer) => layer.width).join("-");
  return [data.kind, shape, optimizer.kind].filter(Boolean).join(" ");
}

export const called = ({ name }: Pick<KeptRun, "name">): string => name || t("kept.unnamed");
