// What this browser keeps between visits. Storage can be forbidden (an iframe, a private window); the page works without.
export function stored(storage: Storage, name: string): string | null {
  try {
    return storage.getItem(name);
  } catch {
    return null;
  }
}

/** Null removes it. */
export function store(storage: Storage, name: string, value: string | null): void {
  try {
    if (value === null) storage.removeItem(name);
    else storage.setItem(name, value);
  } catch {}
}
