// What a canvas is painted with, as SVG: while it is painted anew, every stroke is written down.

/** How canvases that can be painted anew are; others become images. */
export const repaints = new WeakMap<HTMLCanvasElement, () => void>();

interface Place {
  matrix: DOMMatrix;
  clip: string | null;
}
type Step = readonly [name: string, args: readonly unknown[]];
const DRAWN = ["moveTo", "lineTo", "rect", "arc", "closePath", "quadraticCurveTo", "bezierCurveTo"] as const;
const FULL_TURN = 2 * Math.PI - 1e-6;
let last = 0;

/** The strokes of a canvas, in its own pixels, and what they are cut by. */
export async function strokesOf(canvas: HTMLCanvasElement, paint: () => void): Promise<string> {
  const context = canvas.getContext("2d");
  if (!context) return "";
  const paths = new WeakMap<Path2D, Step[]>();
  const Original = window.Path2D;
  window.Path2D = recording(Original, paths);
  const record = new Recorder(context, paths);
  try {
    paint();
    // Some paint once all that was asked for is known: after a turn of the microtasks, or two.
    for (let turn = 0; turn < 4; turn++) await Promise.resolve();
  } finally {
    window.Path2D = Original;
    record.stop();
  }
  return record.text();
}

function recording(Original: typeof Path2D, paths: WeakMap<Path2D, Step[]>): typeof Path2D {
  return class extends Original {
    constructor(from?: Path2D | string) {
      super(from as Path2D);
      const steps: Step[] = typeof from === "object" ? [...(paths.get(from) ?? [])] : [];
      paths.set(this, steps);
      for (const name of DRAWN) {
        const own = (this[name] as (...args: number[]) => void).bind(this);
        Object.defineProperty(this, name, {
          value: (...args: number[]) => {
            steps.push([name, args]);
            own(...args);
          },
        });
      }
    }
  };
}

class Recorder {
  private readonly out: string[] = [];
  private readonly clips: string[] = [];
  private current: Step[] = [];
  private clip: string | null = null;
  private readonly saved: Place[] = [];
  private readonly names: string[] = [];

  constructor(
    private readonly context: CanvasRenderingContext2D,
    private readonly paths: WeakMap<Path2D, Step[]>,
  ) {
    for (const name of DRAWN) this.on(name, (...args) => this.current.push([name, args]));
    this.on("beginPath", () => {
      this.current = [];
    });
    this.on("save", () => this.saved.push({ matrix: context.getTransform(), clip: this.clip }));
    this.on("restore", () => {
      this.clip = this.saved.pop()?.clip ?? null;
    });
    this.on("clip", (path) => this.cut(this.of(path)));
    this.on("fill", (path) => this.add("fill", this.of(path)));
    this.on("stroke", (path) => this.add("stroke", this.of(path)));
    this.on("fillRect", (...args) => this.add("fill", [["rect", args]]));
    this.on("strokeRect", (...args) => this.add("stroke", [["rect", args]]));
    this.on("clearRect", (x, y, width, height) => {
      const { canvas } = context;
      const whole =
        Number(x) <= 0 && Number(y) <= 0 && Number(width) >= canvas.width && Number(height) >= canvas.height;
      if (whole) this.out.length = 0;
    });
    this.on("fillText", (text, x, y) => this.write(String(text), Number(x), Number(y)));
  }

  stop(): void {
    for (const name of this.names) delete (this.context as unknown as Record<string, unknown>)[name];
  }

  text(): string {
    return `<defs>${this.clips.join("")}</defs>${this.out.join("")}`;
  }

  private on(name: string, told: (...args: unknown[]) => void): void {
    const { context } = this;
    const own = (context as unknown as Record<string, (...args: unknown[]) => unknown>)[name].bind(context);
    this.names.push(name);
    Object.defineProperty(context, name, {
      configurable: true,
      value: (...args: unknown[]) => {
        told(...args);
        return own(...args);
      },
    });
  }

  private of(path: unknown): Step[] {
    return path instanceof Path2D ? (this.paths.get(path) ?? []) : this.current;
  }

  private cut(steps: Step[]): void {
    const id = `cut-${++last}`;
    const within = this.clip ? ` clip-path="url(#${this.clip})"` : "";
    this.clips.push(
      `<clipPath id="${id}"${within}><path d="${outline(steps)}" ${this.placed()}/></clipPath>`,
    );
    this.clip = id;
  }

  private add(how: "fill" | "stroke", steps: Step[]): void {
    const { context } = this;
    const colour = escaped(String(how === "fill" ? context.fillStyle : context.strokeStyle));
    const d = outline(steps);
    if (!d || colour === "#00000000") return;
    const dashes = context.getLineDash();
    const look =
      how === "fill"
        ? `fill="${colour}"`
        : `fill="none" stroke="${colour}" stroke-width="${context.lineWidth}" stroke-linejoin="${context.lineJoin}"` +
          ` stroke-linecap="${context.lineCap}"${dashes.length ? ` stroke-dasharray="${dashes.join(" ")}"` : ""}`;
    this.put(`<path d="${d}" ${look} ${this.placed()}/>`);
  }

  private write(text: string, x: number, y: number): void {
    const { context } = this;
    const anchor = { center: "middle", right: "end", end: "end" }[context.textAlign as string] ?? "start";
    const baseline = { top: "hanging", middle: "central", bottom: "text-after-edge" }[
      context.textBaseline as string
    ];
    this.put(
      `<text x="${x}" y="${y}" style="font:${escaped(context.font)}" fill="${escaped(String(context.fillStyle))}"` +
        ` text-anchor="${anchor}" dominant-baseline="${baseline ?? "alphabetic"}" ${this.placed()}>` +
        `${escaped(text)}</text>`,
    );
  }

  private put(element: string): void {
    const alpha = this.context.globalAlpha < 1 ? ` opacity="${this.context.globalAlpha}"` : "";
    const cut = this.clip ? ` clip-path="url(#${this.clip})"` : "";
    this.out.push(alpha || cut ? `<g${alpha}${cut}>${element}</g>` : element);
  }

  private placed(): string {
    const { a, b, c, d, e, f } = this.context.getTransform();
    return a === 1 && b === 0 && c === 0 && d === 1 && e === 0 && f === 0
      ? ""
      : `transform="matrix(${[a, b, c, d, e, f].join(" ")})"`;
  }
}

function outline(steps: Step[]): string {
  return steps
    .map(([name, args], place) => {
      const n = args.map((value) => Math.round(Number(value) * 100) / 100);
      switch (name) {
        case "moveTo":
          return `M${n[0]} ${n[1]}`;
        case "lineTo":
          return `${place ? "L" : "M"}${n[0]} ${n[1]}`;
        case "rect":
          return `M${n[0]} ${n[1]}h${n[2]}v${n[3]}h${-n[2]}Z`;
        case "quadraticCurveTo":
          return `Q${n.join(" ")}`;
        case "bezierCurveTo":
          return `C${n.join(" ")}`;
        case "arc":
          return arc(args.map(Number));
        default:
          return "Z";
      }
    })
    .join("");
}

function arc([x, y, radius, from, to]: number[]): string {
  const at = (angle: number) =>
    `${(x + radius * Math.cos(angle)).toFixed(2)} ${(y + radius * Math.sin(angle)).toFixed(2)}`;
  if (Math.abs(to - from) >= FULL_TURN)
    return `M${at(0)}A${radius} ${radius} 0 1 1 ${at(Math.PI)}A${radius} ${radius} 0 1 1 ${at(0)}Z`;
  return `M${at(from)}A${radius} ${radius} 0 ${Math.abs(to - from) > Math.PI ? 1 : 0} 1 ${at(to)}`;
}

/** As it may stand in XML. */
export function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
