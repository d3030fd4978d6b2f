// The REST calls that the page makes.
import { explained, said } from "./i18n";
import type {
  Catalogue,
  Component,
  CreatedSession,
  Failure,
  Patch,
  Preview,
  Text,
  UploadedTable,
} from "./types";

/** Where the server's paths begin: "" or the root path of a proxy. */
export const root = document.querySelector<HTMLMetaElement>("meta[name=playground-root]")?.content ?? "";

/** The server's answer to what it does not accept. `status` 0: it could not be reached. */
export class Refused extends Error {
  constructor(readonly failure: Failure) {
    const [error] = failure.errors ?? [];
    super(error ? said({ ...error, text: error.message }) : explained(failure) || failure.title);
  }
}

async function call<T>(method: string, path: string, body?: unknown, key?: string): Promise<T> {
  const form = body instanceof FormData;
  const headers: Record<string, string> = {};
  if (body !== undefined && !form) headers["content-type"] = "application/json";
  if (key) headers.authorization = `Bearer ${key}`;
  let response: Response;
  try {
    response = await fetch(root + path, {
      method,
      headers,
      body: form ? body : body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    throw new Refused({ status: 0, title: "No connection", detail: String(error) });
  }
  const answer = await response.json().catch(() => null);
  if (!response.ok) {
    throw new Refused({
      title: response.statusText,
      detail: response.statusText,
      ...answer,
      status: response.status,
    });
  }
  return answer as T;
}

export const catalogue = () => call<Catalogue>("GET", "/api/catalogue");
export const createSession = (config: Patch) => call<CreatedSession>("POST", "/api/sessions", { config });
export const session = (id: string) => call<unknown>("GET", `/api/sessions/${encodeURIComponent(id)}`);
/** As the `change` command, for patches that are too large for a websocket message. */
export const change = (id: string, key: string, patch: Patch) =>
  call<{ effect?: Text[] }>("PATCH", `/api/sessions/${encodeURIComponent(id)}/config`, patch, key);
export const preview = (data: Component, seed = 0) => call<Preview>("POST", "/api/preview", { data, seed });

/** Uploads a CSV file; `options` are the columns where they are named. */
export function uploadCsv(file: File, options: Record<string, string> = {}): Promise<UploadedTable> {
  const form = new FormData();
  form.set("file", file);
  for (const [name, value] of Object.entries(options)) form.set(name, value);
  return call("POST", "/api/datasets", form);
}
