// Numbers as people read them, and the steps that a control offers.
import { decimalSign, locale, t, written } from "../i18n";
import type { Parameter } from "../types";

const DIGITS = { maximumSignificantDigits: 7, useGrouping: false };
const plain = new Intl.NumberFormat("en", DIGITS);
const figures = new Intl.NumberFormat(locale, DIGITS);
const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });

/** 12345.6 -> "12,346". */
export const count = (value: number) => whole.format(value);

/** "-1.5" -> "−1.5": a minus as wide as a plus. */
const signed = (text: string) => text.replace(/^-/, "−");

/** A setting to read: as `typed`, with a true minus and thousands set apart. */
export function setting(value: unknown): string {
  if (Array.isArray(value)) return value.map(setting).join("; ");
  if (typeof value !== "number") return typed(value);
  return signed(Number.isInteger(value) ? count(value) : figures.format(value));
}

/** A setting as one types it: every digit that matters, no noise of floating point, no exponent. */
export function typed(value: unknown): string {
  if (Array.isArray(value)) return value.map(typed).join("; ");
  if (typeof value !== "number") return String(value ?? "");
  return Number.isSafeInteger(value) ? String(value) : written(plain.format(value));
}

export type Bounds = Pick<Parameter, "type"> &
  Partial<Pick<Parameter, "nullable" | "minimum" | "maximum" | "exclusive_minimum" | "exclusive_maximum">>;

/** The one of point and comma that does not begin the decimals here. */
const other = decimalSign === "," ? "." : ",";
/** 1,234,567.8 with its thousands set apart by this sign, and its decimals by the other one. */
const grouped = (sign: string, decimals: string) =>
  new RegExp(`^[+-]?[1-9]\\d{0,2}([${sign}]\\d{3})+([${decimals}]\\d*)?$`);
const GROUPS = { ",": grouped(",", "."), ".": grouped(".", ",") };
/** One sign, and three digits after it: 1,234. */
const ONE_GROUP = /^[+-]?[1-9]\d{0,2}[.,]\d{3}$/;
const NUMBER = /^[+-]?(\d+[.,]?\d*|[.,]\d+)(e[+-]?\d+)?$/i;
const WHOLE = /^[+-]?\d+(e\d+)?$/i;

/**
 * What was typed: a number, null for nothing, or a refusal in words. Both point and comma may begin the decimals;
 * where the one that does not in the visitor's language might as well set thousands apart, as the comma of 1,234 in
 * English and the point of 1.234 in German, it is refused, unless the number has to be whole.
 */
export function read(text: string, label: string, bounds: Bounds): number | string | null {
  const refused = (message: string) => t("refused.rule", { label, message });
  const plain = text
    .trim()
    .replace(/^−/, "-")
    .replace(/(\d)[\s’'](?=\d{3})/g, "$1");
  if (plain === "") return null;
  const integer = bounds.type === "integer";
  const one = ONE_GROUP.test(plain);
  const sign = ([",", "."] as const).find(
    (each) => GROUPS[each].test(plain) && (!one || (integer && each === other)),
  );
  let digits = plain;
  if (sign) digits = plain.replaceAll(sign, "").replace(",", ".");
  else if (!NUMBER.test(plain)) return refused(t(integer ? "rule.int_type" : "rule.float_type"));
  else if (!integer && one && plain.includes(other)) {
    const values = { point: plain.replace(other, decimalSign), whole: plain.replace(other, "") };
    return t("refused.either", { text: plain, ...values });
  }
  if (integer && !WHOLE.test(digits)) return refused(t("rule.int_type"));
  const value = Number(digits.replace(",", "."));
  if (!Number.isFinite(value)) return refused(t("rule.finite_number"));
  const broken = outside(value, bounds);
  return broken ? refused(broken) : value;
}

/** A list as `typed` writes it, or with spaces between: its numbers, or a refusal in words. */
export function readList(text: string, label: string, bounds: Bounds): number[] | string | null {
  const numbers: number[] = [];
  for (const part of text.split(/[\s;]+/).filter(Boolean)) {
    const one = read(part, label, bounds);
    if (typeof one === "string") return one;
    if (one !== null) numbers.push(one);
  }
  return numbers.length ? numbers : null;
}

/** The rule that a number breaks, if it is out of bounds. */
function outside(value: number, bounds: Bounds): string | null {
  const { minimum: ge, maximum: le, exclusive_minimum: gt, exclusive_maximum: lt } = bounds;
  if (typeof ge === "number" && value < ge) return t("rule.greater_than_equal", { ge });
  if (typeof gt === "number" && value <= gt) return t("rule.greater_than", { gt });
  if (typeof le === "number" && value > le) return t("rule.less_than_equal", { le });
  if (typeof lt === "number" && value >= lt) return t("rule.less_than", { lt });
  return null;
}

const LEAST = 1e-5;
const MOST = 10;

/** 0.00001, 0.00003, 0.0001 … within the bounds (1, 2, 5, 10, … for whole numbers); zero and null first. */
export function logSteps(parameter: Parameter): (number | null)[] {
  const integer = parameter.type === "integer";
  const low = Math.max(parameter.minimum ?? parameter.exclusive_minimum ?? LEAST, integer ? 1 : LEAST);
  const high = parameter.maximum ?? parameter.exclusive_maximum ?? MOST;
  const most = integer ? Math.min(high, 1000) : Math.min(high, MOST);
  const steps: (number | null)[] = [];
  if (parameter.nullable) steps.push(null);
  if (parameter.minimum === 0) steps.push(0);
  for (let decade = Math.floor(Math.log10(low)); decade <= Math.log10(most); decade++) {
    for (const digit of integer ? [1, 2, 5] : [1, 3]) {
      const value = Number(`${digit}e${decade}`);
      if (value >= low * (1 - 1e-9) && value <= most * (1 + 1e-9)) steps.push(value);
    }
  }
  return steps;
}

/** The steps with `value` among them, so that a control always shows what is set. */
export function withValue(steps: (number | null)[], value: number | null): (number | null)[] {
  if (steps.includes(value)) return steps;
  const order = (v: number | null) => v ?? Number.NEGATIVE_INFINITY;
  return [...steps, value].sort((a, b) => order(a) - order(b));
}

/** Whether a slider suits: a number between two bounds that are not far apart. */
export function slides(parameter: Parameter): boolean {
  const { type, minimum, maximum, scale, nullable } = parameter;
  return (
    type === "number" &&
    scale !== "log" &&
    !nullable &&
    typeof minimum === "number" &&
    typeof maximum === "number" &&
    maximum - minimum <= 1
  );
}

export const sliderStep = (parameter: Parameter) =>
  parameter.maximum! - parameter.minimum! >= 0.8 ? 0.05 : 0.01;

/** "from 1 to 256", "more than 0, at most 100", or nothing where there are no bounds. */
export function bounds(parameter: Parameter): string {
  const { minimum, maximum, exclusive_minimum: above, exclusive_maximum: below } = parameter;
  if (typeof minimum === "number" && typeof maximum === "number")
    return t("help.range", { low: setting(minimum), high: setting(maximum) });
  const rules = [
    typeof minimum === "number" && t("help.at_least", { value: setting(minimum) }),
    typeof above === "number" && t("help.more_than", { value: setting(above) }),
    typeof maximum === "number" && t("help.at_most", { value: setting(maximum) }),
    typeof below === "number" && t("help.less_than", { value: setting(below) }),
  ];
  return rules.filter(Boolean).join(", ");
}
