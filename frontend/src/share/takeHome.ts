// What there is to take home, and how it gets there.
import type { Key } from "../i18n";
import type { ExportFormat } from "../types";

export interface Group {
  title: Key;
  items: { format: ExportFormat; label: Key }[];
}

export const GROUPS: Group[] = [
  {
    title: "take.code",
    items: [
      { format: "pytorch", label: "take.pytorch" },
      { format: "notebook", label: "take.notebook" },
      { format: "keras", label: "take.keras" },
    ],
  },
  {
    title: "take.weights",
    items: [
      { format: "safetensors", label: "take.safetensors" },
      { format: "onnx", label: "take.onnx" },
    ],
  },
  {
    title: "take.data",
    items: [
      { format: "history.csv", label: "take.history" },
      { format: "tensorboard", label: "take.tensorboard" },
      { format: "data.csv", label: "take.points" },
    ],
  },
  {
    title: "take.experiment",
    items: [
      { format: "run", label: "take.run" },
      { format: "config", label: "take.config" },
      { format: "timeline", label: "take.timeline" },
    ],
  },
];

/** Files that hold a network, or an experiment that was taken home. */
export const OPENED = /\.(safetensors|keras|onnx|json)$/i;

/** Hands a file to the browser, which keeps it. */
export function keep(content: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
