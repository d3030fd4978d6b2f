// What the remarks are made of, gathered from the parts of the page.
import { joined } from "../i18n";
import type { Entry } from "../types";
import type { Frame } from "../wire";
import type { Experiment } from "./experiment.svelte";
import type { Readouts } from "./readouts.svelte";
import type { Changed, Seen } from "./remarks";
import type { Training } from "./training.svelte";

export interface Parts {
  readouts: Readouts;
  experiment: Experiment;
  training: Training;
}

export function seenOf({ readouts, experiment, training }: Parts, frame: Frame | null): Seen {
  return {
    history: readouts.history,
    step: readouts.step,
    changes: experiment.timeline.map(changed),
    testPoints: experiment.data?.points("test").targets.length ?? 0,
    silentOutput: frame !== null && silent(frame),
    troubled: training.diverged !== null || training.stuck !== null,
  };
}

function changed({ step, label, change }: Entry): Changed {
  const parts = Object.keys(change);
  return {
    step,
    label: joined(label),
    sameLoss: !parts.includes("loss"),
    samePoints: !["data", "augmentation", "seed"].some((part) => parts.includes(part)),
  };
}

/** Whether no weight into the output is other than 0. */
function silent(frame: Frame): boolean {
  const last = frame.layers.length - 1;
  if (last < 0) return false;
  const { inputs, width } = frame.layers[last];
  for (let source = 0; source < inputs; source++)
    for (let unit = 0; unit < width; unit++) if (frame.weight(last, source, unit) !== 0) return false;
  return true;
}
