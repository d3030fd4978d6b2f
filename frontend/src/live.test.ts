import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Live, Status } from "./live";

class FakeSocket {
  static readonly OPEN = 1;
  static all: FakeSocket[] = [];
  readyState = 0;
  sent: Record<string, unknown>[] = [];
  onopen?: () => void;
  onmessage?: (message: { data: string }) => void;
  onclose?: (event: { code: number }) => void;

  constructor(
    readonly address: URL,
    readonly protocol: string,
  ) {
    FakeSocket.all.push(this);
  }
  send(text: string) {
    this.sent.push(JSON.parse(text));
  }
  close() {
    this.readyState = 3;
  }
  opens() {
    this.readyState = 1;
    this.onopen?.();
    this.says({ type: "hello" });
  }
  says(event: object) {
    this.onmessage?.({ data: JSON.stringify(event) });
  }
  breaks(code = 1006) {
    this.readyState = 3;
    this.onclose?.({ code });
  }
  get kinds() {
    return this.sent.map(({ type }) => type);
  }
}

let page: EventTarget & { hidden: boolean; querySelector: () => null };
let statuses: Status[];
let since: number;
let answer: number;
const latest = () => FakeSocket.all.at(-1)!;

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, "random").mockReturnValue(0.5);
  page = Object.assign(new EventTarget(), { hidden: false, querySelector: () => null });
  const window = new EventTarget();
  vi.stubGlobal("document", page);
  vi.stubGlobal("addEventListener", window.addEventListener.bind(window));
  vi.stubGlobal("removeEventListener", window.removeEventListener.bind(window));
  vi.stubGlobal("location", { href: "https://example.org/lesson/" });
  vi.stubGlobal("WebSocket", FakeSocket);
  vi.stubGlobal("fetch", async () => new Response("{}", { status: answer }));
  FakeSocket.all = [];
  statuses = [];
  since = -1;
  answer = 200;
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

async function live(key: string | null = "secret"): Promise<Live> {
  const module = await import("./live");
  return new module.Live("abc", key, {
    since: () => since,
    event: () => {},
    message: () => {},
    status: (status) => statuses.push(status),
  });
}

it("speaks the protocol, and shows its key before anything else but never in the address", async () => {
  await live();
  latest().opens();
  expect(latest().protocol).toBe("playground.v1");
  expect(latest().address.href).toBe("wss://example.org/api/sessions/abc/live");
  expect(latest().kinds).toEqual(["authorize", "watch"]);
  expect(statuses).toEqual(["connecting", "live"]);
});

it("only watches without a key", async () => {
  await live(null);
  latest().opens();
  expect(latest().kinds).toEqual(["watch"]);
});

it("answers each command by its id", async () => {
  const connection = await live();
  latest().opens();
  const first = connection.send({ type: "play" });
  const second = connection.send({ type: "change", change: { l1: 99 } });
  const [play, change] = latest().sent.slice(-2);
  latest().says({ type: "error", id: change.id, status: 422, title: "No", detail: "at most 10" });
  latest().says({ type: "ack", id: play.id, step: 12 });
  expect((await first).step).toBe(12);
  await expect(second).rejects.toThrow("at most 10");
});

it("comes back and asks for what it missed, and repeats what was not answered under the same id", async () => {
  const connection = await live();
  latest().opens();
  const answered = connection.send({ type: "pause" });
  const id = latest().sent.at(-1)!.id;
  since = 41;
  latest().breaks();
  expect(statuses.at(-1)).toBe("lost");
  await vi.advanceTimersByTimeAsync(200);
  expect(FakeSocket.all.length).toBe(2);
  expect(latest().address.searchParams.get("since")).toBe("41");
  latest().opens();
  expect(latest().kinds).toEqual(["authorize", "watch", "pause"]);
  expect(latest().sent.at(-1)!.id).toBe(id);
  latest().says({ type: "ack", id });
  await answered;
});

it("ignores what a replaced socket still says", async () => {
  const connection = await live();
  latest().opens();
  const old = latest();
  old.breaks();
  await vi.advanceTimersByTimeAsync(200);
  latest().opens();
  const count = statuses.length;
  old.breaks(4001);
  expect(statuses.length).toBe(count);
  connection.close();
});

it("waits longer after each failure, up to a bound", async () => {
  const { backoff } = await import("./live");
  const longest = [0, 1, 2, 20].map((attempt) => backoff(attempt, () => 1));
  expect(longest).toEqual([250, 500, 1000, 8000]);
  expect(backoff(3, () => 0)).toBe(0);
});

it("stays away once another tab has taken over", async () => {
  await live();
  latest().opens();
  latest().breaks(4001);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(FakeSocket.all.length).toBe(1);
  expect(statuses.at(-1)).toBe("replaced");
});

it("gives up on a session that the server no longer has, and rejects what waits", async () => {
  const connection = await live();
  latest().opens();
  const waiting = connection.send({ type: "play" });
  const outcome = expect(waiting).rejects.toThrow();
  answer = 404;
  latest().breaks();
  await vi.advanceTimersByTimeAsync(200);
  expect(statuses.at(-1)).toBe("gone");
  await outcome;
});

it("asks for what is drawn, and again where a connection comes back", async () => {
  const connection = await live();
  latest().opens();
  expect(latest().sent.at(-1)).toMatchObject({ type: "watch", units: [], enlarged: null });
  const drawn = { units: [[0, 1], [0]], enlarged: { layer: 0, unit: 7 } };
  connection.draw(drawn);
  expect(latest().sent.at(-1)).toMatchObject({ type: "watch", rate: 60, ...drawn });
  answer = 200;
  latest().breaks();
  await vi.advanceTimersByTimeAsync(1000);
  latest().opens();
  expect(latest().sent.at(-1)).toMatchObject({ type: "watch", rate: 60, ...drawn });
});

it("asks for no frames while the tab is hidden", async () => {
  await live();
  latest().opens();
  expect(latest().sent.at(-1)).toMatchObject({ type: "watch", rate: 60 });
  page.hidden = true;
  page.dispatchEvent(new Event("visibilitychange"));
  expect(latest().sent.at(-1)).toMatchObject({ type: "watch", rate: 0 });
});
