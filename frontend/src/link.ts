// Config <-> address: the whole config with its seed, deflated, after the "#".
import type { Config, Patch } from "./types";

const PREFIX = "c=";
/** Name of a frame in which this page shows how a link will look. */
export const PREVIEW = "playground-preview";

async function through(
  bytes: Uint8Array<ArrayBuffer>,
  stream: TransformStream,
): Promise<Uint8Array<ArrayBuffer>> {
  const piped = new Blob([bytes]).stream().pipeThrough(stream);
  return new Uint8Array(await new Response(piped).arrayBuffer());
}

/** The hash (without "#") that opens this config again. */
export async function toHash(config: Config | Patch): Promise<string> {
  const text = new TextEncoder().encode(JSON.stringify(config));
  const packed = await through(text, new CompressionStream("deflate-raw"));
  let binary = "";
  for (const byte of packed) binary += String.fromCharCode(byte);
  return PREFIX + btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** The config that a hash holds, or null when it holds none. Throws when it is damaged. */
export async function fromHash(hash: string): Promise<Patch | null> {
  const text = hash.replace(/^#/, "");
  if (!text.startsWith(PREFIX)) return null;
  const binary = atob(text.slice(PREFIX.length).replaceAll("-", "+").replaceAll("_", "/"));
  const packed = Uint8Array.from(binary, (character) => character.charCodeAt(0));
  const config = JSON.parse(
    new TextDecoder().decode(await through(packed, new DecompressionStream("deflate-raw"))),
  );
  if (typeof config !== "object" || config === null || Array.isArray(config)) throw new Error("not a config");
  return config;
}

/** The key that a script hands over, in the address of its session: `?session=…#key=…`. */
export const handedKey = (hash: string): string | null => hash.match(/^#key=([\w-]+)$/)?.[1] ?? null;

const LINK = /^\s*(?:https?:\/\/[^\s#]*)?(#[^\s]*)\s*$/;
const SETTINGS = /^#(?!c=|key=)\w+=[^&]*(&\w+=?[^&]*)*$/;

/** Whether a hash holds settings as `name=value&…`, as those of TensorFlow Playground do. */
export const isForeign = (hash: string): boolean => SETTINGS.test(hash);

/** The hash of a link to an experiment, of this page or of TensorFlow Playground; null for any other text. */
export function hashOf(text: string): string | null {
  const hash = text.match(LINK)?.[1];
  return hash && (hash.startsWith(`#${PREFIX}`) || isForeign(hash)) ? hash : null;
}
