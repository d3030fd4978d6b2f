// A session as a notebook shows it, by anywidget. The kernel listens to the server and hands on what it hears, so that
// this works wherever the notebook is open; what is pressed here goes the same way back.
import { Picture } from "./picture";
import { word } from "./words";

interface State {
  playing: boolean;
  step: number;
  epoch: number;
  loss: { train: number | null; test: number | null };
  /** Whether the kernel has the key. */
  held: boolean;
  /** What the kernel has to say: a refusal, or that the session has ended. */
  note: string;
}

/** What the kernel keeps for all views: with it, a view that comes later shows the same at once. */
interface Traits {
  state: State;
  frame: DataView;
  data: DataView;
  curves: DataView;
}

interface Model {
  get<K extends keyof Traits>(name: K): Traits[K];
  on(event: string, call: (message: { url?: string }) => void): void;
  off(event: string, call: (message: { url?: string }) => void): void;
  send(message: { type: "play" | "pause" | "epoch" | "url" }): void;
}

/** anywidget calls it for each view. */
function render({ model, el }: { model: Model; el: HTMLElement }): () => void {
  const bar = el.appendChild(document.createElement("div"));
  const body = el.appendChild(document.createElement("div"));
  bar.style.cssText = "display:flex;gap:8px;align-items:center;padding:4px 0;font:13px system-ui,sans-serif";
  body.style.cssText = "display:flex;flex-wrap:wrap;gap:12px";
  const picture = new Picture(body);
  const controls = new Controls(bar, model);
  const map = () => picture.showMap(model.get("frame"), model.get("data"));
  const curves = () => picture.showCurves(model.get("curves"));
  const state = () => controls.show(model.get("state"));
  const listeners: [string, (message: { url?: string }) => void][] = [
    ["change:frame", map],
    ["change:data", map],
    ["change:curves", curves],
    ["change:state", state],
    ["msg:custom", ({ url }) => url && controls.follow(url)],
  ];
  for (const [event, listen] of listeners) model.on(event, listen);
  for (const show of [map, curves, state]) show();
  return () => {
    for (const [event, listen] of listeners) model.off(event, listen);
  };
}

class Controls {
  private readonly play: HTMLButtonElement;
  private readonly epoch: HTMLButtonElement;
  private readonly reading = document.createElement("span");
  private playing = false;
  private tab: Window | null = null;

  constructor(root: HTMLElement, model: Model) {
    this.play = button("", () => model.send({ type: this.playing ? "pause" : "play" }));
    this.epoch = button(word("notebook.epoch"), () => model.send({ type: "epoch" }));
    const browser = button(word("notebook.open"), () => {
      // Opened at once, or the browser would take it for a pop-up; the address has the key and comes when asked for.
      this.tab = open("about:blank");
      model.send({ type: "url" });
    });
    this.reading.setAttribute("role", "status");
    root.append(this.play, this.epoch, browser, this.reading);
  }

  show({ playing, epoch, loss, held, note }: State): void {
    this.playing = playing;
    this.play.textContent = word(playing ? "top.pause" : "top.play");
    this.play.disabled = this.epoch.disabled = !held;
    const losses = [
      `${word("curves.train")} ${figure(loss.train)}`,
      `${word("curves.test")} ${figure(loss.test)}`,
    ];
    this.reading.textContent = note || [`${word("top.epoch")} ${Math.floor(epoch)}`, ...losses].join(" · ");
  }

  follow(url: string): void {
    if (this.tab) this.tab.location.href = url;
    this.tab = null;
  }
}

function button(label: string, press: () => void): HTMLButtonElement {
  const made = document.createElement("button");
  made.textContent = label;
  made.onclick = press;
  return made;
}

const figure = (value: number | null) => (value === null ? "–" : value.toPrecision(3));

export default { render };
