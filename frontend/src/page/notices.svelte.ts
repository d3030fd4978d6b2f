// What the page tells the visitor in passing: toasts, and one quiet line.
export type ToastKind = "info" | "error";
export interface Action {
  label: string;
  run: () => void;
}
export interface Toast {
  id: number;
  text: string;
  kind: ToastKind;
  action?: Action;
}

const TOAST_MS = 7_000;
const NOTE_MS = 8_000;
const READ_MS = 70; // a character
const MOST_TOASTS = 3;

export class Notices {
  toasts = $state.raw<Toast[]>([]);
  /** What has just happened, until it is no longer news. */
  note = $state("");

  private last = 0;
  private noteTimer: ReturnType<typeof setTimeout> | undefined;

  say(text: string): void {
    clearTimeout(this.noteTimer);
    this.note = text;
    this.noteTimer = setTimeout(() => (this.note = ""), Math.max(NOTE_MS, READ_MS * text.length));
  }

  toast(text: string, kind: ToastKind = "info", action?: Action): void {
    const toast = { id: ++this.last, text, kind, action };
    this.toasts = [...this.toasts.filter((other) => other.text !== text), toast].slice(-MOST_TOASTS);
    setTimeout(() => this.dismiss(toast.id), action ? 2 * TOAST_MS : TOAST_MS);
  }

  readonly dismiss = (id: number): void => {
    this.toasts = this.toasts.filter((toast) => toast.id !== id);
  };
}
