// How measured numbers are written, everywhere alike: "12,346", "0.049", "−1.20", "4.7e33", "51.2%".
import { language } from "./i18n";

const grouped = new Map<number, Intl.NumberFormat>();

function fixed(value: number, decimals: number): string {
  let format = grouped.get(decimals);
  if (!format) {
    format = new Intl.NumberFormat(language, {
      minimumFractionDigits: decimals,
      maximumFractionDigits: decimals,
    });
    grouped.set(decimals, format);
  }
  return minus(format.format(value));
}

const minus = (text: string) => text.replaceAll("-", "−");
const power = (value: number, decimals: number) => minus(value.toExponential(decimals).replace("e+", "e"));

/** Three or four figures; what is very small or large as a power of ten. */
export function figure(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size < 1e-3 || size >= 1e6) return power(value, 1);
  if (size < 0.01) return fixed(value, 4);
  return fixed(value, size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : 3);
}

/** At most three figures and no zeros at the end, as on an axis. */
export function rough(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size < 1e-3 || size >= 1e5) return power(value, 1).replace(/\.0(?=e)/, "");
  return size >= 1000 ? fixed(value, 0) : minus(String(+value.toPrecision(3)));
}

/** A coordinate: so many decimals and no more. */
export const decimal = (value: number, decimals: number) =>
  fixed(value, decimals).replace(/^−(0[.0]*)$/, "$1");

/** 0.512 -> "51.2%". */
export const percent = (share: number | null, decimals = 1) =>
  share === null ? "–" : `${fixed(100 * share, decimals)}%`;
