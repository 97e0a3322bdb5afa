/** What the kernel shows in files. What cannot be read says nothing: a board has this or has it not. */
import { readdirSync, readFileSync } from "node:fs";

/** Names in a folder; none where it cannot be read. */
export function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Trimmed; empty where it cannot be read. */
export function read(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "";
  }
}
