// A panel as a picture: SVG with vectors where there are any and images for maps, and the same as PNG.
import { escaped, repaints, strokesOf } from "./strokes";

const SVG = "http://www.w3.org/2000/svg";
const PNG_SCALE = 2;
/** What an SVG element looks like by style sheets, to be written into it. */
const LOOK = [
  "fill",
  "fill-opacity",
  "stroke",
  "stroke-width",
  "stroke-opacity",
  "stroke-dasharray",
  "stroke-linecap",
  "stroke-linejoin",
  "opacity",
  "font",
  "text-anchor",
  "dominant-baseline",
  "transform",
  "transform-origin",
  "vector-effect",
];
/** Fields that the browser draws in a way of its own. */
const UNDRAWN = ["checkbox", "radio", "range", "file"];
/** What is no part of a picture. */
const LEFT_OUT = ".visually-hidden, [popover], dialog, script, style, .help, [data-no-picture]";

/** The SVG of a panel, as it stands on the page now. */
export async function svgOf(panel: HTMLElement): Promise<string> {
  const box = panel.getBoundingClientRect();
  const parts: string[] = [];
  await draw(panel, box, parts);
  const size = `width="${round(box.width)}" height="${round(box.height)}"`;
  return (
    `<svg xmlns="${SVG}" xmlns:xlink="http://www.w3.org/1999/xlink" ${size}` +
    ` viewBox="0 0 ${round(box.width)} ${round(box.height)}">${parts.join("")}</svg>`
  );
}

/** The same as pixels, two for each of the page's. */
export async function pngOf(panel: HTMLElement): Promise<Blob> {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(await svgOf(panel))}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = Math.ceil(image.width * PNG_SCALE);
  canvas.height = Math.ceil(image.height * PNG_SCALE);
  canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no picture"))), "image/png"),
  );
}

async function draw(element: Element, origin: DOMRect, parts: string[]): Promise<void> {
  const style = getComputedStyle(element);
  const boxed = style.display !== "contents";
  if (element.matches(LEFT_OUT) || (boxed && !element.checkVisibility({ visibilityProperty: true }))) return;
  const box = element.getBoundingClientRect();
  const at = {
    x: round(box.x - origin.x),
    y: round(box.y - origin.y),
    width: round(box.width),
    height: round(box.height),
  };
  const faint = Number(style.opacity) < 1 && !(element instanceof SVGElement);
  if (faint) parts.push(`<g opacity="${style.opacity}">`);
  if (element instanceof HTMLCanvasElement) await canvas(element, at, parts);
  else if (element instanceof SVGSVGElement) parts.push(vector(element, at));
  else if (element instanceof HTMLImageElement) parts.push(image(element.src, at, style));
  else if (!(element instanceof HTMLInputElement) || !UNDRAWN.includes(element.type)) {
    frame(style, at, parts);
    if (element instanceof HTMLInputElement || element instanceof HTMLSelectElement)
      value(element, style, at, parts);
    else for (const child of element.childNodes) await inside(child, origin, style, parts);
  }
  if (faint) parts.push("</g>");
}

async function inside(
  node: Node,
  origin: DOMRect,
  style: CSSStyleDeclaration,
  parts: string[],
): Promise<void> {
  if (node instanceof Element) await draw(node, origin, parts);
  else if (node instanceof Text && node.data.trim()) words(node, origin, style, parts);
}

interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

function frame(style: CSSStyleDeclaration, at: Box, parts: string[]): void {
  const line = Number.parseFloat(style.borderTopWidth);
  const bordered = line > 0 && style.borderTopStyle !== "none" && !clear(style.borderTopColor);
  const shades = style.backgroundImage.startsWith("linear-gradient")
    ? gradient(style.backgroundImage, parts)
    : null;
  if (clear(style.backgroundColor) && !bordered && !shades) return;
  const fill = shades ?? (clear(style.backgroundColor) ? "none" : style.backgroundColor);
  const stroke = bordered ? ` stroke="${style.borderTopColor}" stroke-width="${line}"` : "";
  const half = bordered ? line / 2 : 0;
  parts.push(
    `<rect x="${at.x + half}" y="${at.y + half}" width="${Math.max(0, at.width - 2 * half)}"` +
      ` height="${Math.max(0, at.height - 2 * half)}" rx="${Number.parseFloat(style.borderTopLeftRadius) || 0}"` +
      ` fill="${fill}"${stroke}/>`,
  );
}

let gradients = 0;

/** How an SVG fills with a gradient of a style sheet: from left to right, or downwards. */
function gradient(image: string, parts: string[]): string {
  const id = `shades-${++gradients}`;
  const colours = image.match(/rgba?\([^)]*\)/g) ?? [];
  const across = /to right|90deg/.test(image);
  const stops = colours.map(
    (colour, i) => `<stop offset="${i / Math.max(1, colours.length - 1)}" stop-color="${colour}"/>`,
  );
  parts.push(
    `<linearGradient id="${id}" x2="${across ? 1 : 0}" y2="${across ? 0 : 1}">${stops.join("")}</linearGradient>`,
  );
  return `url(#${id})`;
}

async function canvas(element: HTMLCanvasElement, at: Box, parts: string[]): Promise<void> {
  if (!element.width || !element.height || !at.width || !at.height) return;
  const paint = repaints.get(element);
  if (paint) {
    const strokes = await strokesOf(element, paint);
    parts.push(
      `<svg x="${at.x}" y="${at.y}" width="${at.width}" height="${at.height}"` +
        ` viewBox="0 0 ${element.width} ${element.height}" preserveAspectRatio="none">${strokes}</svg>`,
    );
  } else parts.push(image(element.toDataURL(), at, getComputedStyle(element)));
}

function image(address: string, at: Box, style: CSSStyleDeclaration): string {
  const rendering = style.imageRendering === "pixelated" ? ' style="image-rendering:pixelated"' : "";
  return (
    `<image x="${at.x}" y="${at.y}" width="${at.width}" height="${at.height}" preserveAspectRatio="none"${rendering}` +
    ` xlink:href="${escaped(address)}"/>`
  );
}

/** An SVG of the page, with what style sheets say of it written into it. */
function vector(element: SVGSVGElement, at: Box): string {
  const copy = element.cloneNode(true) as SVGSVGElement;
  const originals = [element, ...element.querySelectorAll("*")];
  for (const [index, other] of [copy, ...copy.querySelectorAll("*")].entries()) {
    const style = getComputedStyle(originals[index]);
    const shown = LOOK.filter((name) => name !== "transform" || style.transform !== "none");
    other.setAttribute("style", shown.map((name) => `${name}:${style.getPropertyValue(name)}`).join(";"));
    if (style.visibility === "hidden" || style.display === "none") other.setAttribute("display", "none");
    other.removeAttribute("class");
  }
  copy.setAttribute("style", `${copy.getAttribute("style")};overflow:visible`);
  for (const [name, size] of Object.entries(at)) copy.setAttribute(name, String(size));
  return new XMLSerializer().serializeToString(copy);
}

/** The text of a field that is filled in. */
function value(
  element: HTMLInputElement | HTMLSelectElement,
  style: CSSStyleDeclaration,
  at: Box,
  parts: string[],
): void {
  const text = element instanceof HTMLSelectElement ? element.selectedOptions[0]?.text : element.value;
  const left = at.x + Number.parseFloat(style.paddingLeft);
  parts.push(written(text ?? "", left, at.y + at.height / 2, style, "central"));
}

/** Text as it stands in its lines. */
function words(node: Text, origin: DOMRect, style: CSSStyleDeclaration, parts: string[]): void {
  const range = document.createRange();
  const lines: { text: string; box: DOMRect }[] = [];
  for (const found of node.data.matchAll(/\S+\s*/g)) {
    range.setStart(node, found.index);
    range.setEnd(node, found.index + found[0].trimEnd().length);
    const box = range.getClientRects()[0];
    if (!box?.width) continue;
    const line = lines.at(-1);
    if (line && Math.abs(line.box.y - box.y) < 2) line.text += found[0];
    else lines.push({ text: found[0], box });
  }
  for (const { text, box } of lines) {
    const cased = style.textTransform === "uppercase" ? text.toUpperCase() : text;
    parts.push(
      written(cased.trimEnd(), box.x - origin.x, box.y - origin.y + box.height / 2, style, "central"),
    );
  }
}

function written(text: string, x: number, y: number, style: CSSStyleDeclaration, baseline: string): string {
  const font = `${style.fontStyle} ${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
  return (
    `<text x="${round(x)}" y="${round(y)}" dominant-baseline="${baseline}" fill="${style.color}"` +
    ` style="font:${escaped(font)};white-space:pre">${escaped(text)}</text>`
  );
}

const clear = (colour: string) => colour === "transparent" || /rgba\(.*, 0\)$/.test(colour);
const round = (value: number) => Math.round(value * 100) / 100;
