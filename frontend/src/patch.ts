// Merge patches (RFC 7396) as the page needs them.
import type { Entry, Patch } from "./types";

const isObject = (value: unknown): value is Patch =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** One patch that does what `first` and then `second` do. Unlike in a merge, null stays: it means "remove". */
export function combined(first: Patch, second: Patch): Patch {
  const result: Patch = { ...first };
  for (const [name, value] of Object.entries(second)) {
    const before = result[name];
    result[name] =
      isObject(before) && isObject(value) && !changesKind(before, value) ? combined(before, value) : value;
  }
  return result;
}

/** A component of another kind is replaced, not merged. */
const changesKind = (before: Patch, after: Patch) => "kind" in after && after.kind !== before.kind;

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner) =>
    isObject(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner,
  );
}

/**
 * The changes that can be undone, oldest first. An entry that takes back the one before it removes both;
 * entries of one gesture are one.
 */
export function undoable(timeline: Entry[], gestures: ReadonlyMap<Entry, number> = new Map()): Entry[] {
  const stack: { entry: Entry; undo: string; gesture: number | undefined }[] = [];
  for (const entry of timeline) {
    if (Object.keys(entry.undo).length === 0 && entry.checkpoint == null) continue;
    const top = stack.at(-1);
    const gesture = gestures.get(entry);
    if (top?.undo === canonical(entry.change)) {
      stack.pop();
    } else if (top && gesture !== undefined && top.gesture === gesture) {
      const undo = combined(entry.undo, top.entry.undo);
      const { checkpoint } = top.entry;
      stack[stack.length - 1] = { entry: { ...entry, undo, checkpoint }, undo: canonical(undo), gesture };
    } else {
      stack.push({ entry, undo: canonical(entry.undo), gesture });
    }
  }
  return stack.map(({ entry }) => entry);
}
