// How measured numbers are written, everywhere alike: "12,346", "0.049", "−1.20", "4.7e33", "51.2%"; in German "12.346", "0,049".
import { locale, written } from "./i18n";

type Style = "decimal" | "percent";
const formats = new Map<string, Intl.NumberFormat>();

function fixed(value: number, decimals: number, style: Style = "decimal"): string {
  const name = style + decimals;
  let format = formats.get(name);
  if (!format) {
    format = new Intl.NumberFormat(locale, {
      style,
      minimumFractionDigits: decimals,
      maximumFractionDigits: decimals,
    });
    formats.set(name, format);
  }
  return minus(format.format(value));
}

const minus = (text: string) => text.replaceAll("-", "−");
const power = (value: number, decimals: number) =>
  minus(written(value.toExponential(decimals).replace("e+", "e")));

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
  if (size < 1e-3 || size >= 1e5) return power(value, 1).replace(/[.,]0(?=e)/, "");
  return size >= 1000 ? fixed(value, 0) : minus(written(String(+value.toPrecision(3))));
}

/** A coordinate: so many decimals and no more. */
export const decimal = (value: number, decimals: number) =>
  fixed(value, decimals).replace(/^−(0[.,0]*)$/, "$1");

/** 0.512 -> "51.2%"; in German "51,2 %". */
export const percent = (share: number | null, decimals = 1) =>
  share === null ? "–" : fixed(share, decimals, "percent");
