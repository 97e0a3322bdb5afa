/** Sets and maps of nftables, as text. */

/** A declaration; without elements where there are none, since nftables takes no empty list. */
export function declare(
  kind: "set" | "map",
  name: string,
  type: string,
  elements: readonly string[],
  flags = "",
): string {
  const flagged = flags === "" ? "" : ` flags ${flags};`;
  const held = elements.length === 0 ? "" : `\n    elements = {\n      ${elements.join(",\n      ")}\n    }`;
  return `  ${kind} ${name} {\n    type ${type};${flagged}${held}\n  }`;
}

export function concatenated(...parts: readonly (string | number)[]): string {
  return parts.join(" . ");
}

export function range({ start, end }: { readonly start: number; readonly end: number }): string {
  return start === end ? String(start) : `${start}-${end}`;
}
