import { setting } from "../controls/numbers";
import { t } from "../i18n";
import type { Speed } from "../types";

/** As a new session has it: one can watch the network learn. */
export const DEFAULT_SPEED: Speed = { epochs_per_second: 15 };

const SPEEDS: Speed[] = [
  { steps_per_second: 1 },
  { epochs_per_second: 1 },
  DEFAULT_SPEED,
  { epochs_per_second: 60 },
  { max: true },
];

/** The same text for the same speed, to tell speeds apart. */
export function speedKey(speed: Speed): string {
  if (speed.max) return "max";
  return speed.steps_per_second ? `s${speed.steps_per_second}` : `e${speed.epochs_per_second}`;
}

export function speedName(speed: Speed): string {
  if (speed.max) return t("top.speed_max");
  const { steps_per_second: steps, epochs_per_second: epochs } = speed;
  if (steps) return t(steps === 1 ? "top.speed_step" : "top.speed_steps", { n: setting(steps) });
  return t(epochs === 1 ? "top.speed_epoch" : "top.speed_epochs", { n: setting(epochs) });
}

/** The speeds to choose from, the one that is set among them. */
export function speedsWith(current: Speed | null): Speed[] {
  if (!current) return SPEEDS;
  const key = speedKey(current);
  return SPEEDS.some((speed) => speedKey(speed) === key) ? SPEEDS : [...SPEEDS, current];
}
