/** The key switch at the box, as rules name it: read as it is written, told where the box has none. */
import { mistake, shown, type Reading } from "./scalar.ts";
import type { Forbid, Snapshot, When } from "./snapshot.ts";
import { listed } from "./suggest.ts";

export const KEY_POSITIONS = ["on", "off"] as const;
export type KeyPosition = NonNullable<When["keySwitch"]>;

/** `on` or `off`, in quotes or not. YAML 1.1 takes both for truth values, and programs that still speak it write true and false. */
export function readKeySwitch(input: unknown): Reading<KeyPosition> {
  const found = KEY_POSITIONS.find((position) => position === input);
  if (found !== undefined) return { value: found };
  const meant =
    typeof input === "boolean"
      ? KEY_POSITIONS[input ? 0 : 1]
      : KEY_POSITIONS.find((position) => typeof input === "string" && position === input.toLowerCase());
  return mistake(`${shown(input)} is no position of a key switch`, "on or off", meant);
}

/** Which rules name the key switch, and what that comes to where nobody knows its position, in one line; null: none does. */
export function withoutKeySwitch({ grants, forbids }: Snapshot): string | null {
  const rules = [...named("grant", grants), ...named("forbid", forbids)];
  if (rules.length === 0) return null;
  const what =
    "the box has no key switch, or cannot read it: no grant that names it holds, and every forbid does";
  return `${what} (${rules.join("; ")})`;
}

function named(noun: string, rules: readonly Forbid[]): readonly string[] {
  const naming = rules.filter(({ when }) => when !== null && when.keySwitch !== null);
  const names = [...new Set(naming.map(({ name }) => name))];
  return names.length === 0 ? [] : [`${noun}${names.length === 1 ? "" : "s"} ${listed(names)}`];
}
