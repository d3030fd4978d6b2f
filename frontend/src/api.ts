// The REST calls that the page makes.
import createClient from "openapi-fetch";
import { worded } from "./catalogue";
import { explained, said } from "./i18n";
import type { paths } from "./schema";
import type {
  Component,
  Config,
  ExportFormat,
  Failure,
  NewBranch,
  NewMap,
  NewSession,
  NewSweep,
  Patch,
  Summary,
  WeightState,
} from "./types";

/** Where the server's paths begin: "" or the root path of a proxy. */
export const root = document.querySelector<HTMLMetaElement>("meta[name=playground-root]")?.content ?? "";

const client = createClient<paths>({
  baseUrl: new URL(root || "/", location.href).href,
  fetch: (request) => fetch(request),
});

/** The server's answer to what it does not accept. `status` 0: it could not be reached. */
export class Refused extends Error {
  constructor(readonly failure: Failure) {
    const [error] = failure.errors ?? [];
    super(error ? said({ ...error, text: error.message }) : explained(failure) || failure.title);
  }
}

/** What a call answers. Rejects with `Refused`. */
async function answer<Data>(
  call: Promise<{ data?: Data; error?: unknown; response: Response }>,
): Promise<Data> {
  const { data, error, response } = await call.catch((reason) => {
    throw new Refused({ status: 0, title: "No connection", detail: String(reason) });
  });
  if (response.ok) return data as Data;
  const { status, statusText } = response;
  const document = typeof error === "object" ? error : null;
  throw new Refused({ title: statusText, detail: statusText, ...document, status });
}

export const catalogue = async () => worded(await answer(client.GET("/api/catalogue")));
export const createSession = (session: NewSession) => answer(client.POST("/api/sessions", { body: session }));
export const session = (id: string) => answer(client.GET("/api/sessions/{id}", { params: { path: { id } } }));
export const summary = (id: string) =>
  answer(client.GET("/api/sessions/{id}/summary", { params: { path: { id } } })) as Promise<Summary>;
/** What the optimizer knows of one weight; `source` is the unit below, or null for the bias. */
export const weightState = (id: string, layer: number, source: number | null, unit: number) =>
  answer(
    client.GET("/api/sessions/{id}/optimizer/weight", {
      params: { path: { id }, query: { layer, unit, ...(source !== null && { source }) } },
    }),
  ) as Promise<WeightState>;
export const scoreCurves = (id: string) =>
  answer(client.GET("/api/sessions/{id}/scores/curves", { params: { path: { id } } }));
/** As the `change` command, for patches that are too large for a websocket message. */
export const change = (id: string, key: string, patch: Patch) =>
  answer(
    client.PATCH("/api/sessions/{id}/config", {
      params: { path: { id } },
      headers: { authorization: `Bearer ${key}` },
      body: patch,
    }),
  );
const authorized = (id: string, key: string | null) => ({
  params: { path: { id } },
  headers: key ? { authorization: `Bearer ${key}` } : {},
});
/** A session that goes on from a moment of another; `together` takes the other's key. */
export const branch = (id: string, key: string | null, body: NewBranch) =>
  answer(client.POST("/api/sessions/{id}/branch", { ...authorized(id, key), body }));
/** Lets a session train in lock-step with another. */
export const together = (id: string, key: string, body: { session: string; key: string }) =>
  answer(client.POST("/api/sessions/{id}/together", { ...authorized(id, key), body }));
export const pause = (id: string, key: string) =>
  answer(client.POST("/api/sessions/{id}/pause", authorized(id, key)));
export const end = (id: string, key: string) =>
  answer(client.DELETE("/api/sessions/{id}", authorized(id, key)));
/** Reads a formula of so many inputs. */
export const formula = (text: string, inputs: number) =>
  answer(client.POST("/api/formula", { body: { text, inputs } }));
/** The experiment of a link of TensorFlow Playground. */
export const importLink = (link: string) => answer(client.POST("/api/import", { body: { link } }));
export const preview = (data: Component, seed = 0) =>
  answer(client.POST("/api/preview", { body: { data, seed } }));

export const createSweep = (sweep: NewSweep) => answer(client.POST("/api/sweeps", { body: sweep }));
export const sweeps = () => answer(client.GET("/api/sweeps"));
export const sweepTrials = (id: string) =>
  answer(client.GET("/api/sweeps/{id}/trials", { params: { path: { id } } }));
export const sweepCurves = (id: string) =>
  answer(client.GET("/api/sweeps/{id}/curves", { params: { path: { id } } }));
/** The networks of a trial, as a session. */
export const openTrial = (id: string, number: number) =>
  answer(client.POST("/api/sweeps/{id}/trials/{number}/open", { params: { path: { id, number } } }));
export const cancelSweep = (id: string, key: string) =>
  answer(
    client.DELETE("/api/sweeps/{id}", {
      params: { path: { id } },
      headers: { authorization: `Bearer ${key}` },
    }),
  );

export const createMap = (map: NewMap) => answer(client.POST("/api/trainability", { body: map }));
export const endMap = (id: string) =>
  answer(client.DELETE("/api/trainability/{id}", { params: { path: { id } } }));
/** The network of a pixel of a map of trainability, as a session. */
export const openPixel = (id: string, row: number, column: number) =>
  answer(client.POST("/api/trainability/{id}/open", { params: { path: { id } }, body: { row, column } }));

export const table = (id: string) => answer(client.GET("/api/datasets/{id}", { params: { path: { id } } }));

/** Keeps a session as a run of this name. */
export const saveSession = (id: string, name: string) =>
  answer(client.POST("/api/sessions/{id}/save", { params: { path: { id } }, body: { name } }));
/** Some of the runs that the server keeps, the newest first; the rest begins at `next`. */
export const runs = (cursor: string | null) =>
  answer(client.GET("/api/runs", { params: { query: { limit: 20, ...(cursor && { cursor }) } } }));
export const run = (id: string) => answer(client.GET("/api/runs/{id}", { params: { path: { id } } }));
export const runHistory = (id: string) =>
  answer(client.GET("/api/runs/{id}/history", { params: { path: { id } } }));
const held = (id: string, key: string) => ({
  params: { path: { id } },
  headers: { authorization: `Bearer ${key}` },
});
export const renameRun = (id: string, key: string, name: string) =>
  answer(client.PATCH("/api/runs/{id}", { ...held(id, key), body: { name } }));
export const removeRun = (id: string, key: string) => answer(client.DELETE("/api/runs/{id}", held(id, key)));
/** A session that goes on from the end of a run. */
export const openRun = (id: string) =>
  answer(client.POST("/api/runs/{id}/open", { params: { path: { id } }, body: {} }));
export const runFile = (id: string) =>
  answer(client.GET("/api/runs/{id}/file", { params: { path: { id } } }));

/** A session as a file to take home. */
export async function exported(id: string, format: ExportFormat): Promise<File> {
  let name: string = format;
  const call = client
    .GET("/api/sessions/{id}/export/{format}", { params: { path: { id, format } }, parseAs: "blob" })
    .then((found) => {
      name = /filename="(.+)"/.exec(found.response.headers.get("content-disposition") ?? "")?.[1] ?? name;
      return found;
    });
  return new File([(await answer(call)) as Blob], name);
}

/** What begins a session with the network of a file, beside the data of this config. */
export async function importModel(file: File, config: Config | null): Promise<NewSession> {
  const form = new FormData();
  form.set("file", file);
  if (config) form.set("config", JSON.stringify(config));
  return (await answer(client.POST("/api/import/model", { body: form as never }))) as NewSession;
}

/** Uploads a CSV file or a workbook; `options` say how to read it. */
export async function uploadTable(file: File, options: Record<string, string> = {}) {
  const form = new FormData();
  form.set("file", file);
  for (const [name, value] of Object.entries(options)) form.set(name, value);
  // The schema has a file as a string; a form is sent as it is.
  const table = await answer(client.POST("/api/datasets", { body: form as never }));
  uploaded.set(table.id, () => uploadTable(file, options));
  return table;
}

const uploaded = new Map<string, () => Promise<unknown>>();

/** Uploads the files of this page once more, for a server that has forgotten them. Whether there are any. */
export async function uploadAgain(): Promise<boolean> {
  await Promise.all([...uploaded.values()].map((upload) => upload()));
  return uploaded.size > 0;
}
