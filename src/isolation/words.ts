/** Numbers and lists in sentences. */

/** `65,535`. */
export function number(count: number): string {
  return count.toLocaleString("en-US");
}

export function plural(count: number, word: string): string {
  return count === 1 ? word : `${word}s`;
}

/** `1 packet`, `1,200 packets`. */
export function counted(count: number, word: string): string {
  return `${number(count)} ${plural(count, word)}`;
}

/** `a, b and c`. */
export function list(parts: readonly string[]): string {
  const last = parts.at(-1) ?? "";
  return parts.length < 2 ? last : `${parts.slice(0, -1).join(", ")} and ${last}`;
}
