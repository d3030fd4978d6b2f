// The life of the session that this page shows: making, joining, keeping and reviving it, and its socket.
import * as api from "../api";
import { Refused } from "../api";
import { t } from "../i18n";
import * as link from "../link";
import { backoff, type Drawn, Live, NONE, type Status } from "../live";
import type { Command, Config, Event, ImportedExperiment, NewSession, Patch, Role, Text } from "../types";
import type { Message } from "../wire";
import type { Run } from "./experiment.svelte";
import type { Notices } from "./notices.svelte";
import { store, stored } from "./storage";

/** A run, and how far it is. */
export interface Position extends Run {
  step: number;
}

/** A session, and the key to it. */
export interface Held {
  id: string;
  key: string;
}

/** What the connection needs from the rest of the page. */
export interface Owner {
  /** Index of the last sample that is here, -1 for none. */
  since: () => number;
  config: () => Config | null;
  /** The run so far; null where it is too long to be trained again. */
  position: () => Position | null;
  /** Bytes that the server takes in one message of the websocket. */
  messageBytes: () => number;
  event: (event: Event) => void;
  message: (message: Message) => void;
  /** What comes next is of another session. */
  forget: () => void;
  /** The moment that was looked back at is gone. */
  faded: () => void;
  /** An experiment of another page comes next. */
  imported: (found: ImportedExperiment) => void;
  /** The session was gone, and is here again as it was. */
  revived: () => void;
  refusal: (error: Refused) => string;
}

const ENVELOPE_BYTES = 1024; // of a command around its patch
/** The default experiment: of the newest version, which learns so that one can watch. */
const FRESH: Patch = { version: 2 };
const HASH_AFTER_MS = 400;
const WAIT_MS = 3_000; // between two looks for a session that is gone
/** Where this tab's session is kept; a preview within the page has one of its own. */
const storageName = () => (window.name === link.PREVIEW ? "playground.preview" : "playground.session");

export class Connection {
  status = $state<Status | "failed">("connecting");
  role = $state<Role>("viewer");
  viewers = $state(1);
  session = $state<string | null>(null);
  /** Why nothing can be shown, when `status` is "failed". */
  failure = $state<string | null>(null);
  /** Whether the server has said that it stops. */
  stopping = $state(false);
  /** Whether the session that is watched is not there. */
  absent = $state(false);
  /** The session that this tab had before the one that it shows. */
  former = $state.raw<Held | null>(null);
  /** Whether the holder's controls work. */
  readonly canChange = $derived(this.role === "holder" && this.status === "live");
  /** Whether this visitor only looks on, by a link without the key. */
  readonly watches = $derived.by(() => this.session !== null && this.key === null);

  /** It only looks back at another session, which a reload comes back to. */
  private passing = false;
  private live: Live | null = null;
  private drawn = NONE;
  private key = $state<string | null>(null);
  private hashTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly owner: Owner,
    private readonly notices: Notices,
  ) {}

  /** Opens what the address names, or else this tab's last session, or else a new one. */
  async start(): Promise<void> {
    addEventListener("popstate", ({ state }) => {
      const watched = watchedSession();
      if (held(state?.session)) this.comeBack(state.session);
      else if (watched) this.join(watched, null);
      else void this.begin();
    });
    const watched = watchedSession();
    const kept = recalled();
    const key = link.handedKey(location.hash) ?? (kept?.id === watched ? kept?.key : null);
    if (watched) this.join(watched, key ?? null);
    else if (kept && (kept.hash === location.hash || location.hash === "")) this.join(kept.id, kept.key);
    else await this.begin();
  }

  /** Repeats a request until the server is there. Rejects when it refuses. */
  async reach<T>(request: () => Promise<T>, unreachable: (error: unknown) => boolean): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await request();
      } catch (error) {
        if (!unreachable(error)) throw error;
        this.status = "lost";
        await new Promise((resolve) => setTimeout(resolve, backoff(attempt)));
      }
    }
  }

  send(command: Command): ReturnType<Live["send"]> {
    return this.live?.send(command) ?? Promise.reject(unconnected());
  }

  /** A websocket message is limited; thousands of points go by REST. Everyone is told of either in the same way. */
  change(patch: Patch): Promise<{ effect?: Text[] }> {
    const size = new TextEncoder().encode(JSON.stringify(patch)).length;
    if (size + ENVELOPE_BYTES > this.owner.messageBytes() && this.session && this.key)
      return api.change(this.session, this.key, patch);
    return this.send({ type: "change", change: patch });
  }

  ack(frame: number): void {
    this.live?.ack(frame);
  }

  /** These neurons are drawn, whatever session is shown. */
  draw(drawn: Drawn): void {
    this.drawn = drawn;
    this.live?.draw(drawn);
  }

  /** Connects again from the start of the history. */
  restart(): void {
    this.live?.restart();
  }

  /** Goes on with this session here, after another tab has taken it over. */
  readonly takeOver = (): void => {
    if (this.session) this.join(this.session, this.key);
  };

  /** A new session with the default experiment; the browser's back button leads to the old one's settings. */
  readonly renew = (): void => {
    const url = new URL(location.href);
    url.searchParams.delete("session");
    url.hash = "";
    history.pushState(null, "", url);
    this.notices.say("");
    void this.begin();
  };

  /** A new session from a link; the browser's back button leads to the old one's settings. False for other text. */
  readonly open = (text: string): boolean => {
    const hash = link.hashOf(text);
    if (!hash) return false;
    const url = new URL(location.href);
    url.searchParams.delete("session");
    url.hash = hash;
    history.pushState(null, "", url);
    this.notices.say("");
    void this.begin();
    return true;
  };

  /**
   * A session of one's own that goes on from where the watched one is; where that is too far to be trained again, with
   * its settings only. The browser's back button leads back to watching.
   */
  readonly copy = async (): Promise<void> => {
    const config = this.owner.config();
    if (!config) return;
    const settings = { config };
    const whole = this.owner.position();
    const url = new URL(location.href);
    url.searchParams.delete("session");
    try {
      const made = whole && (await api.createSession(whole).catch(unlessAway));
      const { id, key } = made ?? (await api.createSession(settings));
      history.pushState(null, "", url);
      this.notices.say(t(made ? "note.copied" : "note.copied_settings"));
      this.join(id, key);
    } catch (error) {
      this.notices.toast(error instanceof Refused ? this.owner.refusal(error) : String(error), "error");
    }
  };

  /** A new session from a file: a network of another program, or an experiment that was taken home. */
  readonly openFile = async (file: File): Promise<void> => {
    const url = new URL(location.href);
    url.searchParams.delete("session");
    try {
      const isText = file.name.toLowerCase().endsWith(".json");
      const found = isText
        ? experimentIn(await file.text())
        : await api.importModel(file, this.owner.config());
      const { id, key } = await api.createSession(found);
      history.pushState(null, "", url);
      this.join(id, key);
    } catch (error) {
      this.notices.toast(error instanceof Refused ? this.owner.refusal(error) : String(error), "error");
    }
  };

  /** Goes on with a session that was made of a kept run or of a pixel; the back button leads to the settings of this one. */
  readonly enter = (session: Held): void => {
    const url = new URL(location.href);
    url.searchParams.delete("session");
    history.pushState(null, "", url);
    this.notices.say("");
    this.join(session.id, session.key);
  };

  /** Goes on with a session that this tab had before. */
  comeBack(session: Held): boolean {
    this.join(session.id, session.key);
    return true;
  }

  /** The session of the page, with its key where this visitor has it. */
  get own(): { id: string; key: string | null } | null {
    return this.session === null ? null : { id: this.session, key: this.key };
  }

  /** Shows a session that looks back at the one of now. */
  lookAt({ id, key }: Held): void {
    this.join(id, key, true);
  }

  /** Back from where it looked to. */
  return({ id, key }: { id: string; key: string | null }): void {
    this.join(id, key);
  }

  /** The session that looked back is one like others now; the browser's back button leads to its original. */
  settle(original: Held | null): void {
    this.passing = false;
    this.former = original;
    const url = new URL(location.href);
    url.searchParams.delete("session");
    history.pushState(null, "", url);
    this.keep();
    this.follow();
  }

  /** The address that opens this experiment anew. */
  async address(): Promise<string> {
    const url = new URL(location.href);
    const config = this.owner.config();
    url.searchParams.delete("session");
    if (config) url.hash = await link.toHash(config);
    return url.href;
  }

  /** The address with which others watch this session. */
  watchAddress(): string {
    const url = new URL(location.href);
    url.hash = "";
    url.searchParams.set("session", this.session ?? "");
    return url.href;
  }

  /** Lets the address follow the config, at its own pace. */
  follow(): void {
    clearTimeout(this.hashTimer);
    this.hashTimer = setTimeout(async () => {
      const config = this.owner.config();
      if (!config || this.passing) return;
      const hash = `#${await link.toHash(config)}`;
      const state = this.session && this.key ? { session: { id: this.session, key: this.key } } : null;
      history.replaceState(state, "", `${location.pathname}${location.search}${hash}`);
      this.keep();
    }, HASH_AFTER_MS);
  }

  /** A new session from the address, or from the default where the address holds none or one that is refused. */
  private async begin(): Promise<void> {
    let config = FRESH;
    try {
      config = (await this.addressed(location.hash)) ?? FRESH;
    } catch (error) {
      const reason = error instanceof Refused ? this.owner.refusal(error) : null;
      this.notices.toast(reason ? t("toast.link_refused", { reason }) : t("toast.link_damaged"), "error");
    }
    await this.createOrDefault(config).catch((error) => this.fail(error));
  }

  /** The experiment of a hash. Rejects where it is damaged, or of another page that has other settings. */
  private async addressed(hash: string): Promise<Patch | null> {
    if (!link.isForeign(hash)) return link.fromHash(hash);
    const found = await this.reach(() => api.importLink(hash), away);
    this.owner.imported(found);
    return found.config as Patch;
  }

  /** A new session; of the default experiment, and a word about it, where this one is refused. */
  private async createOrDefault(config: Patch): Promise<void> {
    try {
      await this.create(config);
    } catch (error) {
      if (!(error instanceof Refused) || config === FRESH) throw error;
      this.notices.toast(t("toast.link_refused", { reason: this.owner.refusal(error) }), "error");
      await this.create(FRESH);
    }
  }

  private async create(config: Patch): Promise<void> {
    const { id, key } = await this.reach(() => api.createSession({ config }), away);
    this.join(id, key);
  }

  private join(id: string, key: string | null, passing = false): void {
    this.live?.close();
    const [before, was] = [this.own, this.passing];
    this.session = id;
    this.key = key;
    this.passing = passing;
    if (id !== before?.id) {
      this.owner.forget();
      if (!passing && !was) this.former = before?.key ? { id: before.id, key: before.key } : null;
    }
    this.keep();
    this.live = new Live(id, key, {
      since: this.owner.since,
      event: this.owner.event,
      message: this.owner.message,
      status: (status) => {
        this.status = status;
        if (status === "live") this.stopping = this.absent = false;
        if (status === "gone" && this.passing) this.owner.faded();
        else if (status === "gone") void this.revive();
      },
    });
    this.live.draw(this.drawn);
  }

  /** The server no longer knows the session: it is trained again up to where it was, or its config anew. */
  private async revive(): Promise<void> {
    if (!this.key) return this.wait();
    const position = this.owner.position();
    try {
      if (position && (await this.remake(position, this.key))) return;
      store(sessionStorage, storageName(), null);
      const config = this.owner.config();
      await this.createOrDefault((config ?? FRESH) as Patch);
      this.notices.say("");
      this.notices.toast(t("toast.session_gone"));
    } catch (error) {
      this.fail(error);
    }
  }

  /** Whether the session could be made again as it was; its files have been uploaded before. */
  private async remake(position: Position, key: string): Promise<boolean> {
    const make = () => this.reach(() => api.createSession({ ...position, key }), away);
    const madeInAnotherTab = (error: unknown) => error instanceof Refused && error.failure.status === 409;
    try {
      await make().catch(async (error) => {
        if (madeInAnotherTab(error)) return;
        if (!(await api.uploadAgain())) throw error;
        await make();
      });
    } catch (error) {
      if (error instanceof Refused) return false;
      throw error;
    }
    this.owner.revived();
    this.join(this.session as string, key);
    return true;
  }

  /** Whoever watches cannot make the session again; who holds it may. */
  private wait(): void {
    this.status = "lost";
    this.absent = true;
    setTimeout(() => this.join(this.session as string, null), WAIT_MS);
  }

  private fail(error: unknown): void {
    this.status = "failed";
    this.failure = t("banner.failed", { reason: error instanceof Error ? error.message : String(error) });
  }

  /** So that a reload comes back to the same session. The key never leaves this tab's storage. */
  private keep(): void {
    if (!this.session || !this.key || this.passing) return;
    store(
      sessionStorage,
      storageName(),
      JSON.stringify({ id: this.session, key: this.key, hash: location.hash }),
    );
  }
}

/** What a file holds that was taken home: a whole run, or a config. */
function experimentIn(text: string): NewSession {
  const found = JSON.parse(text);
  return "config" in found ? found : { config: found };
}

/** Not there yet: no connection, or the server is still starting. */
const away = (error: unknown) => error instanceof Refused && [0, 502, 503].includes(error.failure.status);

const held = (session: unknown): session is Held =>
  typeof session === "object" && session !== null && "id" in session && "key" in session;

/** What was refused can be wished differently; from a server that is away nothing comes. */
function unlessAway(error: unknown): null {
  if (!(error instanceof Refused) || away(error)) throw error;
  return null;
}

/** The session that the address asks to watch. */
const watchedSession = () => new URLSearchParams(location.search).get("session");

const unconnected = () => new Refused({ status: 0, title: "Closed", detail: "" });

function recalled(): { id: string; key: string; hash: string } | null {
  try {
    return JSON.parse(stored(sessionStorage, storageName()) ?? "null");
  } catch {
    return null;
  }
}
