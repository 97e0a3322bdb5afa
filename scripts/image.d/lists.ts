/** The small lists below image/: a thing a line, `#` begins a comment. */
import { readFileSync } from "node:fs";

export function listOf(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.replace(/#.*/, "").trim())
    .filter((line) => line !== "");
}

export function readList(path: string): string[] {
  return listOf(readFileSync(path, "utf8"));
}

/** `NAME=value` lines. */
export function readMeta(path: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    readList(path).map((line) => {
      const at = line.indexOf("=");
      if (at < 1) throw new Error(`${path}: ${JSON.stringify(line)} is no NAME=value`);
      return [line.slice(0, at), line.slice(at + 1)];
    }),
  );
}
