// How measured numbers are written, everywhere alike: "12,346", "0.049", "0.0000017", "−1.20", "4.7·10³³", "51.2%".
import { locale, t } from "./i18n";

const formats = new Map<string, Intl.NumberFormat>();

function formatted(value: number, options: Intl.NumberFormatOptions): string {
  const key = JSON.stringify(options);
  let format = formats.get(key);
  if (!format) {
    format = new Intl.NumberFormat(locale, options);
    formats.set(key, format);
  }
  return minus(format.format(value));
}

const fixed = (value: number, decimals: number) =>
  formatted(value, { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
const significant = (value: number, digits: number) =>
  formatted(value, { maximumSignificantDigits: digits, useGrouping: false });
const minus = (text: string) => text.replaceAll("-", "−");

const RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/** As one learns it at school: "4.7·10³³", "10⁻⁵". */
export function power(value: number, digits: number): string {
  const [factor, exponent] = value.toExponential(digits - 1).split("e");
  const raised = exponent
    .replace("+", "")
    .replace("-", "⁻")
    .replace(/\d/g, (digit) => RAISED[Number(digit)]);
  const front = significant(Number(factor), digits);
  return /^−?1$/.test(front) ? `${front.replace("1", "")}10${raised}` : `${front}·10${raised}`;
}

/** Three or four figures; a power of ten where there would be many digits. */
export function figure(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size < 1e-7) return t("number.almost_zero");
  if (size >= 1e6) return power(value, 2);
  if (size < 1e-3) return significant(value, 2);
  if (size < 0.01) return fixed(value, 4);
  return fixed(value, size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : 3);
}

/** At most three figures and no zeros at the end, as on an axis. */
export function rough(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size < 9.99e-5 || size >= 1e5) return power(value, 2);
  return size >= 1000 ? fixed(value, 0) : significant(value, 3);
}

/** A coordinate: so many decimals and no more. */
export const decimal = (value: number, decimals: number) =>
  fixed(value, decimals).replace(/^−(0[.,0]*)$/, "$1");

/** 0.512 -> "51.2%"; in German "51,2 %". */
export const percent = (share: number | null, decimals = 1) =>
  share === null
    ? "–"
    : formatted(share, {
        style: "percent",
        minimumFractionDigits: decimals,
        maximumFractionDigits: decimals,
      });
