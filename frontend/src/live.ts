// The websocket of a session: it comes back by itself, and every command is answered once.

import * as api from "./api";
import { Refused, root } from "./api";
import type { Command, Event } from "./types";
import { decode, type Message } from "./wire";

export type Status = "connecting" | "live" | "lost" | "replaced" | "gone";

type Ack = Extract<Event, { type: "ack" }>;
interface Waiting {
  text: string;
  resolve: (ack: Ack) => void;
  reject: (error: Error) => void;
  timer: ReturnType<typeof setTimeout>;
}

export interface Listener {
  /** Index of the last sample that is here, -1 for none. */
  since: () => number;
  event: (event: Event) => void;
  message: (message: Message) => void;
  status: (status: Status) => void;
}

const ANSWER_MS = 30_000;
const LONGEST_WAIT_MS = 8_000;
const FIRST_WAIT_MS = 250;
const SCREEN_RATE = 60; // refreshes of a usual screen a second

/** The neurons that are drawn, of each layer, and the one that is looked at closely. */
export type Drawn = Required<Pick<Extract<Command, { type: "watch" }>, "units" | "enlarged">>;
export const NONE: Drawn = { units: [], enlarged: null };

/** Pictures a second, at most, the cells along the side of the map, and what else is drawn. */
export interface Wish extends Drawn {
  rate: number;
  output?: number;
}

/** Full jitter: anything from nothing to an exponentially growing bound, so that a class does not return as one. */
export function backoff(attempt: number, random = Math.random): number {
  return random() * Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** attempt);
}

export class Live {
  private socket: WebSocket | null = null;
  private attempt = 0;
  private retry: ReturnType<typeof setTimeout> | null = null;
  private ended = false;
  private count = 0;
  private readonly waiting = new Map<string, Waiting>();
  /** Told apart from another page load's ids, which the server may remember. */
  private readonly prefix = Math.random().toString(36).slice(2, 10);

  constructor(
    readonly session: string,
    private readonly key: string | null,
    private readonly listener: Listener,
    private wish: Wish = { rate: SCREEN_RATE, ...NONE },
  ) {
    addEventListener("online", this.now);
    addEventListener("offline", this.offline);
    document.addEventListener("visibilitychange", this.watch);
    this.connect();
  }

  /** Sends a command; it is sent again after an interruption. Rejects with `Refused`. */
  send(command: Command): Promise<Ack> {
    const id = `${this.prefix}-${++this.count}`;
    const text = JSON.stringify({ ...command, id });
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.waiting.delete(id);
        reject(new Refused({ status: 0, title: "No answer", detail: "" }));
      }, ANSWER_MS);
      this.waiting.set(id, { text, resolve, reject, timer });
      if (this.open) this.socket!.send(text);
    });
  }

  ack(frame: number): void {
    if (this.open) this.socket!.send(JSON.stringify({ type: "ack", frame } satisfies Command));
  }

  /** These neurons are drawn from now on. */
  draw(drawn: Drawn): void {
    this.wish = { ...this.wish, ...drawn };
    this.watch();
  }

  /** Connects again from the start of the history. */
  restart(): void {
    this.attempt = 0;
    this.connect();
  }

  close(): void {
    this.end();
    this.drop();
  }

  private get open(): boolean {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  private readonly now = () => {
    if (this.retry !== null) this.connect();
  };

  private readonly offline = () => {
    if (this.ended || !this.socket) return;
    this.drop();
    void this.lost();
  };

  /** A hidden tab gets no frames; the curves go on. */
  private readonly watch = () => {
    if (!this.open) return;
    const id = `${this.prefix}-${++this.count}`;
    const { rate, ...look } = this.wish;
    const wish = { type: "watch" as const, rate: document.hidden ? 0 : rate, ...look };
    this.socket!.send(JSON.stringify({ ...wish, id } satisfies Command & { id: string }));
  };

  private drop(): void {
    const socket = this.socket;
    this.socket = null;
    if (this.retry !== null) clearTimeout(this.retry);
    this.retry = null;
    socket?.close(1000);
  }

  private connect(): void {
    if (this.ended) return;
    this.drop();
    this.listener.status("connecting");
    const address = new URL(`${root}/api/sessions/${encodeURIComponent(this.session)}/live`, location.href);
    address.protocol = address.protocol.replace("http", "ws");
    const since = this.listener.since();
    if (since >= 0) address.searchParams.set("since", String(since));
    const socket = new WebSocket(address, "playground.v1");
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    socket.onopen = () => {
      if (this.key) {
        const id = `${this.prefix}-${++this.count}`;
        socket.send(JSON.stringify({ type: "authorize", key: this.key, id }));
      }
      this.watch();
      for (const { text } of this.waiting.values()) socket.send(text);
    };
    socket.onmessage = ({ data }) => {
      if (socket !== this.socket) return;
      if (typeof data === "string") this.event(JSON.parse(data));
      else this.listener.message(decode(data));
    };
    socket.onclose = ({ code }) => {
      if (socket !== this.socket) return;
      this.socket = null;
      if (code === 4001) this.finish("replaced");
      else void this.lost();
    };
  }

  private event(event: Event): void {
    if (event.type === "hello") {
      this.attempt = 0;
      this.listener.status("live");
    }
    if (event.type === "replaced") this.finish("replaced");
    if (event.type === "ack") this.settle(event.id, (waiting) => waiting.resolve(event));
    if (event.type === "error" && event.id)
      this.settle(event.id, (waiting) => waiting.reject(new Refused(event)));
    this.listener.event(event);
  }

  private settle(id: string, how: (waiting: Waiting) => void): void {
    const waiting = this.waiting.get(id);
    if (!waiting) return;
    this.waiting.delete(id);
    clearTimeout(waiting.timer);
    how(waiting);
  }

  private async lost(): Promise<void> {
    this.listener.status("lost");
    const wait = backoff(this.attempt++);
    this.retry = setTimeout(async () => {
      // A socket does not say why it was not accepted; a session that is gone never comes back.
      const gone = await api.session(this.session).then(
        () => false,
        (error) => error instanceof Refused && error.failure.status === 404,
      );
      if (this.ended || this.open) return;
      if (gone) this.finish("gone");
      else this.connect();
    }, wait);
  }

  private finish(status: Status): void {
    this.end();
    this.drop();
    this.listener.status(status);
  }

  private end(): void {
    this.ended = true;
    removeEventListener("online", this.now);
    removeEventListener("offline", this.offline);
    document.removeEventListener("visibilitychange", this.watch);
    for (const id of [...this.waiting.keys()]) {
      this.settle(id, (waiting) => waiting.reject(new Refused({ status: 0, title: "Closed", detail: "" })));
    }
  }
}
