// A QR code as one SVG path.
import { encodeQR } from "qr";

/** Empty modules around a code, without which it is not found (ISO/IEC 18004). */
export const QUIET = 4;

export interface Code {
  /** Modules from side to side, the quiet zone included. */
  size: number;
  /** The dark modules, as an SVG path. */
  path: string;
}

/** The code of a text; null where it is too long for one. */
export function codeOf(text: string): Code | null {
  let modules: boolean[][];
  try {
    modules = encodeQR(text, "raw", { border: QUIET, ecc: "low" });
  } catch {
    return null;
  }
  const path = modules.flatMap((row, y) => row.flatMap((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : [])));
  return { size: modules.length, path: path.join("") };
}
