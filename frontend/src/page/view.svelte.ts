// How this visitor looks at the session: nothing here is known to the server.
import type { Theme } from "../colours";
import { repaint } from "../frames";
import type { Unit } from "../network/layout";
import { nearest } from "../output/embedding";
import type { Lit } from "../output/points";
import type { Part, Points } from "../wire";
import { store, stored } from "./storage";

const THEME = "playground.theme";

/** What is shown to a room that reads from the last row: the network, its answer, the loss, and what runs it. */
const PRESENTED = new Set(["network", "output", "curves", "weights", "reset", "play", "step", "present"]);

/** Names that `?hide=` had before, in links of lessons. */
const RENAMED: Record<string, string> = { batchnorm: "normalization" };

export class View {
  theme = $state<Theme>("light");
  discretise = $state(false);
  /** Of several networks the map shows how far they differ, not their mean. */
  spread = $state(false);
  showTrain = $state(true);
  showTest = $state(false);
  markWrong = $state(true);
  /** Strike out what dropout silences. */
  showMask = $state(true);
  selected = $state.raw<Unit | null>(null);
  hovered = $state.raw<Unit | null>(null);
  /** The points that stand out on the map, while the others are pale. */
  lit = $state.raw<Lit | null>(null);
  /** The point of an embedding that is pointed at, there or on the map. */
  pointed = $state.raw<{ part: Part; index: number } | null>(null);
  /** Names that `?hide=` hides. */
  private hidden = $state.raw<ReadonlySet<string>>(new Set());
  /** The page for an iframe. */
  embedded = false;
  /** Large type, and only the essential: for a projector. */
  presenting = $state(false);
  /** The visitor's system asks for less motion. */
  lessMotion = false;

  /** The point that is nearest to a place, of those that are shown, no farther than `most`. */
  nearest(points: Partial<Record<Part, Points>>, at: [number, number], most: number): View["pointed"] {
    for (const part of ["train", "test"] as const) {
      const shown = part === "train" ? this.showTrain : this.showTest;
      const index = shown && points[part] ? nearest(points[part], at, most) : -1;
      if (index >= 0) return { part, index };
    }
    return null;
  }

  /** Reads the address and the visitor's wishes. */
  start(): void {
    const query = new URLSearchParams(location.search);
    const hide = query.get("hide") ?? "";
    this.hidden = new Set(
      hide
        .split(/[\s,]+/)
        .map((name) => RENAMED[name] ?? name)
        .filter(Boolean),
    );
    this.embedded = /\/embed\/?$/.test(location.pathname);
    this.present(query.has("present") && !this.embedded);
    const motion = matchMedia("(prefers-reduced-motion: reduce)");
    this.lessMotion = motion.matches;
    motion.addEventListener("change", () => (this.lessMotion = motion.matches));
    const system = matchMedia("(prefers-color-scheme: dark)");
    const chosen = () => stored(localStorage, THEME);
    const follow = () => this.show(system.matches ? "dark" : "light");
    const first = chosen();
    if (first === "light" || first === "dark") this.show(first);
    else follow();
    system.addEventListener("change", () => {
      if (!chosen()) follow();
    });
  }

  /** Whether a control is to be shown: `?hide=` may name it or the part before a dot. */
  readonly shown = (name: string): boolean =>
    !this.hidden.has(name) &&
    !this.hidden.has(name.split(".")[0]) &&
    (!this.presenting || PRESENTED.has(name));

  /** Hides more controls, and lets the address say so. */
  hide(names: string[]): void {
    if (!names.length) return;
    this.hidden = new Set([...this.hidden, ...names]);
    const url = new URL(location.href);
    url.searchParams.set("hide", [...this.hidden].join());
    history.replaceState(history.state, "", url);
  }

  /** Begins or ends the presentation. */
  readonly present = (on = !this.presenting): void => {
    this.presenting = on;
    document.documentElement.toggleAttribute("data-presenting", on);
  };

  /** The query that hides the same controls in another address. */
  get query(): string {
    return this.hidden.size ? `?hide=${[...this.hidden]}` : "";
  }

  readonly switchTheme = (): void => {
    this.show(this.theme === "dark" ? "light" : "dark");
    store(localStorage, THEME, this.theme);
  };

  private show(theme: Theme): void {
    this.theme = theme;
    document.documentElement.dataset.theme = theme;
    repaint();
  }
}
