import { setting } from "../controls/numbers";
import { t } from "../i18n";
import type { Speed } from "../types";

const SPEEDS: Speed[] = [
  { steps_per_second: 1 },
  { epochs_per_second: 1 },
  { epochs_per_second: 10 },
  { epochs_per_second: 60 },
  { max: true },
];

/** The same text for the same speed, to tell speeds apart. */
export function speedKey(speed: Speed): string {
  if ("max" in speed) return "max";
  return "steps_per_second" in speed ? `s${speed.steps_per_second}` : `e${speed.epochs_per_second}`;
}

export function speedName(speed: Speed): string {
  if ("max" in speed) return t("top.speed_max");
  if ("steps_per_second" in speed) {
    return t(speed.steps_per_second === 1 ? "top.speed_step" : "top.speed_steps", {
      n: setting(speed.steps_per_second),
    });
  }
  return t(speed.epochs_per_second === 1 ? "top.speed_epoch" : "top.speed_epochs", {
    n: setting(speed.epochs_per_second),
  });
}

/** The speeds to choose from, the one that is set among them. */
export function speedsWith(current: Speed | null): Speed[] {
  if (!current) return SPEEDS;
  const key = speedKey(current);
  return SPEEDS.some((speed) => speedKey(speed) === key) ? SPEEDS : [...SPEEDS, current];
}
