import { decodeQR } from "qr/decode.js";
import { describe, expect, it } from "vitest";
import { codeOf, QUIET } from "./qr";

/** The picture that a camera would see, so many pixels a module. */
function photographed(path: string, size: number, pixels = 4) {
  const side = size * pixels;
  const data = new Uint8Array(side * side * 4).fill(255);
  for (const [, x, y] of path.matchAll(/M(\d+) (\d+)/g)) {
    for (let dy = 0; dy < pixels; dy++)
      for (let dx = 0; dx < pixels; dx++) {
        const at = ((Number(y) * pixels + dy) * side + Number(x) * pixels + dx) * 4;
        data.fill(0, at, at + 3);
      }
  }
  return { width: side, height: side, data };
}

describe("a QR code", () => {
  it.each([
    "https://play.example.org/?session=9f3c01ab77",
    `https://play.example.org/#c=${"dVLbjpswEP0V".repeat(60)}`,
  ])("is read as the link that it is of", (link) => {
    const code = codeOf(link);
    expect(code && decodeQR(photographed(code.path, code.size))).toBe(link);
  });

  it("has an empty zone around it", () => {
    const code = codeOf("https://play.example.org/")!;
    const places = [...code.path.matchAll(/M(\d+) (\d+)/g)].flatMap(([, x, y]) => [Number(x), Number(y)]);
    expect(Math.min(...places)).toBe(QUIET);
    expect(Math.max(...places)).toBe(code.size - 1 - QUIET);
  });

  it("is none where the link is too long", () => {
    expect(codeOf(`https://play.example.org/#c=${"x".repeat(4000)}`)).toBe(null);
  });
});
