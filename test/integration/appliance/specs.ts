import { fileURLToPath } from "node:url";
import type { ProcessSpec } from "../../../src/appliance/index.ts";

const CHILD = fileURLToPath(new URL("child.ts", import.meta.url));

/** `how` each process behaves, by its name; see child.ts. */
export function specs(file: string, how: Readonly<Record<string, string>>): ProcessSpec[] {
  return Object.entries(how).map(([name, way]) => ({
    name,
    command: process.execPath,
    args: [CHILD, name, file, way],
  }));
}
