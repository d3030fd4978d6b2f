// The one state of the page. Panels read its fields and call its actions; only the server's echo changes the config.
import * as api from "./api";
import { Refused } from "./api";
import { figure } from "./figures";
import { deliver, forget, latest, onDrawn, repaint } from "./frames";
import { History } from "./history";
import { t } from "./i18n";
import * as link from "./link";
import { backoff, Live, type Status } from "./live";
import { combined, undoable } from "./patch";
import type {
  Catalogue,
  Config,
  Divergence,
  Entry,
  Event,
  Failure,
  Family,
  Kind,
  Parameter,
  Patch,
  Problem,
  Role,
  Speed,
  WeightEdit,
} from "./types";
import { DataMessage, Frame, type Message, MetricsMessage } from "./wire";

export type Theme = "light" | "dark";
export interface NeuronAt {
  /** 0 is the first hidden layer; the output layer comes after the last hidden one. -1: a feature, by its place in `data.features`. */
  layer: number;
  unit: number;
}
export type ToastKind = "info" | "error";
export interface Toast {
  id: number;
  text: string;
  kind: ToastKind;
  action?: { label: string; run: () => void };
}
export interface ChangeOptions {
  /** Retry once with what the server suggests, where the parts would not fit. */
  adapt?: boolean;
  /** Say nothing of the effect. */
  quiet?: boolean;
  /** Changes of one gesture (`newGesture()`), such as a drag, are undone together. */
  gesture?: number;
}
/** The newest numbers: `train_loss`, `test_loss`, `train_accuracy`, …; null where there is none. */
export type Metrics = Record<string, number | null>;

const LARGEST_MESSAGE = 60_000; // bytes; the server takes 64 KiB
const READ_OUT_MS = 100;
const HASH_AFTER_MS = 400;
const TOAST_MS = 7_000;
const NOTE_MS = 8_000;
const KEPT = "playground.session";
const THEME = "playground.theme";

let gestureCount = 0;

export function newGesture(): number {
  return ++gestureCount;
}

class Page {
  /* What the server says. Replaced whole, never mutated. */
  config = $state.raw<Config | null>(null);
  catalogue = $state.raw<Catalogue | null>(null);
  problem = $state.raw<Problem | null>(null);
  data = $state.raw<DataMessage | null>(null);
  timeline = $state.raw<Entry[]>([]);
  role = $state<Role>("viewer");
  status = $state<Status | "failed">("connecting");
  run = $state(-1);
  playing = $state(false);
  speed = $state.raw<Speed>({ epochs_per_second: 60 });
  diverged = $state.raw<Divergence | null>(null);
  viewers = $state(1);
  session = $state<string | null>(null);

  /* Slow read-outs, 10 Hz. */
  step = $state(0);
  epoch = $state(0);
  metrics = $state.raw<Metrics>({});
  /** Plain columns; read `historyVersion` too, which counts up (10 Hz) when they have grown. */
  history = new History();
  historyVersion = $state(0);

  /* How this visitor looks at it. */
  view = $state({
    discretise: false,
    showTrain: true,
    showTest: false,
    selected: null as NeuronAt | null,
    hovered: null as NeuronAt | null,
    theme: "light" as Theme,
  });
  /** Names that `?hide=` hides. */
  hidden: ReadonlySet<string> = new Set();
  /** The page for an iframe. */
  embedded = false;
  /** Why nothing can be shown, when `status` is "failed". */
  failure = $state<string | null>(null);
  toasts = $state.raw<Toast[]>([]);
  /** One quiet line about what has just happened. */
  note = $state("");

  /** Whether the holder's controls work. */
  canChange = $derived(this.role === "holder" && this.status === "live");
  /** Entries that one drag made, which one undo takes back. */
  private gestures = $state.raw<ReadonlyMap<Entry, number>>(new Map());
  undoStack = $derived(undoable(this.timeline, this.gestures));

  private gesture: number | null = null;
  /** The last weight set here, and what it was before: the server keeps no inverse of it. */
  private weightBefore: { edit: string; value: number } | null = null;
  private noteTimer: ReturnType<typeof setTimeout> | null = null;
  private live: Live | null = null;
  private key: string | null = null;
  private lastToast = 0;
  private readOut: ReturnType<typeof setTimeout> | null = null;
  private hashTimer: ReturnType<typeof setTimeout> | null = null;

  /* ---------- actions ---------- */

  /**
   * Applies a merge patch to the running network. True when the server took it; otherwise a toast says why.
   */
  async change(patch: Patch, options: ChangeOptions = {}): Promise<boolean> {
    if (!this.live) return false;
    this.gesture = options.gesture ?? null;
    try {
      const ack = await this.sent(patch);
      if (!options.quiet && ack.effect?.length) this.say(ack.effect.join(" · "));
      return true;
    } catch (error) {
      const suggestion =
        error instanceof Refused ? error.failure.errors?.find((e) => e.suggestion)?.suggestion : null;
      if (!suggestion) return this.refused(error);
      const fitting = combined(patch, suggestion);
      if (options.adapt) return this.change(fitting, { ...options, adapt: false });
      return this.refused(error, { label: t("toast.use_fitting"), run: () => void this.change(fitting) });
    }
  }

  /** A websocket message is limited; thousands of points go by REST. Everyone is told of either in the same way. */
  private sent(patch: Patch): Promise<{ effect?: string[] }> {
    const size = new TextEncoder().encode(JSON.stringify(patch)).length;
    if (size > LARGEST_MESSAGE && this.session && this.key) return api.change(this.session, this.key, patch);
    return this.live!.send({ type: "change", change: patch });
  }

  play = () => this.command({ type: "play" });
  pause = () => this.command({ type: "pause" });
  /** What a press asked for that the server has not answered yet: a second press means the opposite. */
  private asked: boolean | null = null;
  togglePlay = async () => {
    const wish = !(this.asked ?? this.playing);
    this.asked = wish;
    await (wish ? this.play() : this.pause());
    if (this.asked === wish) this.asked = null;
  };
  reset = () => this.command({ type: "reset" });
  stepOnce = () => this.command({ type: "step", steps: 1 });
  setSpeed = (speed: Speed) => this.command({ type: "speed", ...speed });

  /** Sets one weight (`source` is the unit below) or, with `source` null, a bias. */
  async setWeight(edit: WeightEdit, gesture?: number): Promise<boolean> {
    const { layer, source, unit, value } = edit;
    const frame = latest();
    const width = frame?.layers[layer]?.width ?? 0;
    const before =
      source === null
        ? frame?.f32(`bias.${layer}`)[unit]
        : frame?.f32(`weight.${layer}`)[source * width + unit];
    this.gesture = gesture ?? null;
    this.weightBefore = before === undefined ? null : { edit: nameOf(edit), value: before };
    const done = await this.command({ type: "weight", layer, source, unit, value });
    if (done) {
      const values = { layer: layer + 1, before: figure(before ?? null), after: figure(value) };
      this.say(t(source === null ? "note.bias_set" : "note.weight_set", values));
    }
    return done;
  }

  async undo(): Promise<boolean> {
    const entry = this.undoStack.at(-1);
    if (!entry) return false;
    const { weight, ...patch } = entry.undo;
    const done = weight
      ? await this.setWeight(weight as WeightEdit)
      : await this.change(patch, { quiet: true });
    if (done) this.say(t("note.undone", { label: entry.label }));
    return done;
  }

  /** A new session with the default experiment; the browser's back button leads to the old one's settings. */
  renew = (): void => {
    const url = new URL(location.href);
    url.searchParams.delete("session");
    url.hash = "";
    history.pushState(null, "", url);
    this.say("");
    void this.begin();
  };

  /** Tells what has just happened, until it is no longer news. */
  private say(text: string): void {
    if (this.noteTimer !== null) clearTimeout(this.noteTimer);
    this.note = text;
    this.noteTimer = setTimeout(() => (this.note = ""), NOTE_MS);
  }

  toast(text: string, kind: ToastKind = "info", action?: Toast["action"]): void {
    const toast = { id: ++this.lastToast, text, kind, action };
    this.toasts = [...this.toasts.filter((other) => other.text !== text), toast].slice(-3);
    setTimeout(() => this.dismiss(toast.id), action ? 2 * TOAST_MS : TOAST_MS);
  }

  dismiss(id: number): void {
    this.toasts = this.toasts.filter((toast) => toast.id !== id);
  }

  /** Whether a control is to be shown: `?hide=` may name it or the part before a dot. */
  shown(name: string): boolean {
    return !this.hidden.has(name) && !this.hidden.has(name.split(".")[0]);
  }

  /** What the catalogue says about a kind of component. */
  kindOf(family: Family, kind: string): Kind | undefined {
    return this.catalogue?.components[family]?.find((entry) => entry.kind === kind);
  }

  /** What the catalogue says about a scalar of the config: "batch_size", "hidden.width". */
  field(path: string): Parameter | undefined {
    return this.catalogue?.fields.find((field) => field.path === path);
  }

  setTheme(theme: Theme, remember = true): void {
    this.view.theme = theme;
    document.documentElement.dataset.theme = theme;
    if (remember) stored(localStorage, THEME, theme);
    repaint();
  }

  /** The address that opens this experiment anew. */
  async address(): Promise<string> {
    const url = new URL(location.href);
    url.searchParams.delete("session");
    if (this.config) url.hash = await link.toHash(this.config);
    return url.href;
  }

  /* ---------- the life of the session ---------- */

  async start(): Promise<void> {
    const query = new URLSearchParams(location.search);
    this.hidden = new Set((query.get("hide") ?? "").split(/[\s,]+/).filter(Boolean));
    this.embedded = /\/embed\/?$/.test(location.pathname);
    this.followTheme();
    onDrawn((frame) => this.live?.ack(frame.frame));
    addEventListener("hashchange", () => void this.begin());
    for (let attempt = 0; !this.catalogue; attempt++) {
      try {
        this.catalogue = await api.catalogue();
      } catch {
        this.status = "lost";
        await new Promise((resolve) => setTimeout(resolve, backoff(attempt)));
      }
    }
    const watched = query.get("session");
    const kept = recalled();
    if (watched) this.join(watched, kept?.id === watched ? kept.key : null);
    else if (kept && (kept.hash === location.hash || location.hash === "")) this.join(kept.id, kept.key);
    else await this.begin();
  }

  /** A new session from the address, or from the default where the address holds none or one that is refused. */
  async begin(): Promise<void> {
    let config: Patch = {};
    try {
      config = (await link.fromHash(location.hash)) ?? {};
    } catch {
      this.toast(t("toast.link_damaged"), "error");
    }
    try {
      await this.create(config);
    } catch (error) {
      if (!(error instanceof Refused) || Object.keys(config).length === 0) return this.fail(error);
      this.toast(t("toast.link_refused", { reason: this.sentence(error.failure) }), "error");
      await this.create({}).catch((again) => this.fail(again));
    }
  }

  /** Goes on with this session here, after another tab has taken it over. */
  takeOver(): void {
    if (this.session) this.join(this.session, this.key);
  }

  private async create(config: Patch): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      try {
        const { id, key } = await api.createSession(config);
        return this.join(id, key);
      } catch (error) {
        // Not there yet: no connection, or the server is still starting.
        if (!(error instanceof Refused && [0, 502, 503].includes(error.failure.status))) throw error;
        this.status = "lost";
        await new Promise((resolve) => setTimeout(resolve, backoff(attempt)));
      }
    }
  }

  private join(id: string, key: string | null): void {
    this.live?.close();
    if (id !== this.session) this.clear();
    this.session = id;
    this.key = key;
    this.keep();
    this.live = new Live(id, key, {
      since: () => this.history.last,
      event: (event) => this.onEvent(event),
      message: (message) => this.onMessage(message),
      status: (status) => this.onStatus(status),
    });
  }

  private clear(): void {
    this.history = new History();
    this.historyVersion++;
    this.metrics = {};
    this.run = -1;
    forget();
  }

  private onStatus(status: Status): void {
    this.status = status;
    if (status === "gone") void this.revive();
  }

  /** The server no longer knows the session: the same config starts anew. */
  private async revive(): Promise<void> {
    stored(sessionStorage, KEPT, null);
    if (new URLSearchParams(location.search).has("session")) {
      this.status = "failed";
      this.failure = t("banner.watched_gone");
      return;
    }
    const config = this.config;
    try {
      if (config) await this.create(config as unknown as Patch);
      else await this.begin();
      this.say("");
      this.toast(t("toast.session_gone"));
    } catch (error) {
      this.fail(error);
    }
  }

  private fail(error: unknown): void {
    this.status = "failed";
    this.failure = t("banner.failed", { reason: error instanceof Error ? error.message : String(error) });
  }

  private onEvent(event: Event): void {
    switch (event.type) {
      case "hello":
        if (this.run !== -1 && event.run !== this.run && this.history.last >= 0) {
          // Reset while this page was away: what it has is of another run, so it asks for everything.
          this.clear();
          this.live?.restart();
          return;
        }
        this.run = event.run;
        this.timeline = event.timeline;
        this.config = event.config;
        this.problem = event.problem;
        this.viewers = event.viewers;
        this.role = event.role;
        this.onState(event.state);
        this.writeHash();
        break;
      case "changed":
        this.enter(event.entry);
        this.config = event.config;
        this.problem = event.problem;
        this.writeHash();
        break;
      case "state":
        this.onState(event);
        break;
      case "reset":
        this.clear();
        this.run = event.run;
        this.config = event.config;
        this.timeline = [];
        this.diverged = null;
        this.step = 0;
        this.epoch = 0;
        this.writeHash();
        break;
      case "role":
        this.role = event.role;
        break;
      case "viewers":
        this.viewers = event.count;
        break;
      case "notice":
        this.say(event.code === "worker_restarted" ? t("note.worker_restarted") : event.detail);
        break;
      case "error":
        if (!event.id) this.toast(event.detail || event.title, "error");
        break;
    }
  }

  private enter(told: Entry): void {
    let entry = told;
    const before = this.weightBefore;
    const edit = told.weights as WeightEdit | undefined;
    if (edit && before?.edit === nameOf(edit))
      entry = { ...told, change: { weight: edit }, undo: { weight: { ...edit, value: before.value } } };
    if (this.gesture !== null) this.gestures = new Map([...this.gestures, [entry, this.gesture]]);
    this.timeline = [...this.timeline, entry];
    if (this.role === "viewer" && entry.effect.length) this.say(entry.effect.join(" · "));
  }

  private onState(state: {
    playing: boolean;
    speed: Speed;
    step: number;
    epoch: number;
    diverged: Divergence | null;
  }) {
    this.playing = state.playing;
    this.speed = state.speed;
    this.diverged = state.diverged;
    if (!state.playing || this.step === 0) {
      this.step = state.step;
      this.epoch = state.epoch;
    }
  }

  private onMessage(message: Message): void {
    if (message instanceof Frame) {
      deliver(message);
      this.readSoon();
    } else if (message instanceof DataMessage) {
      this.data = message;
      this.problem = message.problem;
    } else if (message instanceof MetricsMessage) {
      this.history.append(message);
      this.readSoon();
    }
  }

  /** Numbers for people change ten times a second, however fast frames come. */
  private readSoon(): void {
    if (this.readOut !== null) return;
    this.readOut = setTimeout(() => {
      this.readOut = null;
      this.historyVersion++;
      const frame = latest();
      const { history } = this;
      const row = history.length - 1;
      if (frame && (row < 0 || frame.step >= history.step[row])) {
        this.step = frame.step;
        this.epoch = frame.epoch;
        this.metrics = Object.fromEntries(
          Object.entries(frame.header).filter(([name]) => /^(train|test)_/.test(name)),
        ) as Metrics;
      } else if (row >= 0) {
        this.step = history.step[row];
        this.epoch = history.epoch[row];
        this.metrics = Object.fromEntries(
          [...history.series].map(([name, values]) => [name, Number.isNaN(values[row]) ? null : values[row]]),
        );
      }
    }, READ_OUT_MS);
  }

  private async command(command: Parameters<Live["send"]>[0]): Promise<boolean> {
    try {
      await this.live?.send(command);
      return true;
    } catch (error) {
      return this.refused(error);
    }
  }

  private refused(error: unknown, action?: Toast["action"]): false {
    const failure: Failure | null = error instanceof Refused ? error.failure : null;
    if (failure?.status === 0) {
      if (failure.title === "No answer") this.toast(t("toast.no_answer"), "error");
    } else {
      this.toast(failure ? this.sentence(failure) : String(error), "error", action);
    }
    return false;
  }

  /** The first error with the name that its control has on the page. */
  private sentence(failure: Failure): string {
    const error = failure.errors?.[0];
    if (!error) return failure.detail || failure.title;
    const [family, name] = error.field.split(".");
    const component = this.config?.[family as keyof Config] as { kind?: string } | undefined;
    const parameter = this.kindOf(family as Family, component?.kind ?? "")?.parameters.find(
      (p) => p.name === name,
    );
    const label = parameter?.label ?? this.field(error.field.replace(/\.\d+/g, ""))?.label;
    if (!label) return error.message;
    const sentence = /^(must|may|is) /.test(error.message);
    return t(sentence ? "refused.rule" : "refused.field", { label, message: error.message });
  }

  private writeHash(): void {
    if (this.hashTimer !== null) clearTimeout(this.hashTimer);
    this.hashTimer = setTimeout(async () => {
      this.hashTimer = null;
      if (!this.config) return;
      const hash = `#${await link.toHash(this.config)}`;
      history.replaceState(null, "", `${location.pathname}${location.search}${hash}`);
      this.keep();
    }, HASH_AFTER_MS);
  }

  /** So that a reload comes back to the same session. The key never leaves this tab's storage. */
  private keep(): void {
    if (!this.session || !this.key) return;
    stored(sessionStorage, KEPT, JSON.stringify({ id: this.session, key: this.key, hash: location.hash }));
  }

  private followTheme(): void {
    const system = matchMedia("(prefers-color-scheme: dark)");
    const chosen = read(localStorage, THEME);
    const follow = () => this.setTheme(system.matches ? "dark" : "light", false);
    if (chosen === "light" || chosen === "dark") this.setTheme(chosen, false);
    else follow();
    system.addEventListener("change", () => {
      if (!read(localStorage, THEME)) follow();
    });
  }
}

/** The same text for the same edit of a weight. */
const nameOf = ({ layer, source, unit, value }: WeightEdit) => JSON.stringify([layer, source, unit, value]);

function recalled(): { id: string; key: string; hash: string } | null {
  try {
    return JSON.parse(read(sessionStorage, KEPT) ?? "null");
  } catch {
    return null;
  }
}

// Storage can be forbidden (an iframe, a private window); the page works without it.
function stored(storage: Storage, name: string, value: string | null): void {
  try {
    if (value === null) storage.removeItem(name);
    else storage.setItem(name, value);
  } catch {}
}

function read(storage: Storage, name: string): string | null {
  try {
    return storage.getItem(name);
  } catch {
    return null;
  }
}

export const page = new Page();
