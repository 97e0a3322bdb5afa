/** The little of SVG that pictures here are made of. Numbers are pixels, except where a picture says millimetres. Pure. */

type Attributes = Readonly<Record<string, string | number>>;

export function escape(content: string): string {
  return content.replace(/[&<>"]/g, (one) => `&#${one.charCodeAt(0)};`);
}

export function element(name: string, attributes: Attributes, ...children: readonly string[]): string {
  const words = Object.entries(attributes).map(([key, value]) => ` ${key}="${escape(String(value))}"`);
  return children.length === 0
    ? `<${name}${words.join("")}/>`
    : `<${name}${words.join("")}>${children.join("")}</${name}>`;
}

export function text(x: number, y: number, content: string, attributes: Attributes = {}): string {
  return element("text", { x, y, ...attributes }, escape(content));
}

export function line(points: readonly (readonly [number, number])[], attributes: Attributes = {}): string {
  return element("polyline", { points: points.map(([x, y]) => `${x},${y}`).join(" "), ...attributes });
}

export function box(
  x: number,
  y: number,
  width: number,
  height: number,
  attributes: Attributes = {},
): string {
  return element("rect", { x, y, width, height, ...attributes });
}

/** A whole picture, one element a line. `size`: of the view, and as it is to be shown, with its unit. */
export function picture(
  view: { readonly width: number; readonly height: number },
  shown: { readonly width: string; readonly height: string },
  style: string,
  elements: readonly string[],
): string {
  const head = {
    xmlns: "http://www.w3.org/2000/svg",
    viewBox: `0 0 ${view.width} ${view.height}`,
    width: shown.width,
    height: shown.height,
  };
  return `${element("svg", head, "\n", element("style", {}, style), "\n", ...elements.map((one) => `${one}\n`))}\n`;
}
