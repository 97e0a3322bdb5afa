import type { When } from "../site/index.ts";

/** What a person at the box says by hand, as link's PanelState has it. */
export interface Panel {
  /** Null: the box has none, or its position is not known now. */
  readonly keySwitch: boolean | null;
}

/** Whether the key switch stands as a rule asks. A position that is not known lets no grant hold, and every forbid. */
export function keyHolds(when: When | null, effect: "grant" | "forbid", { keySwitch }: Panel): boolean {
  const asked = when?.keySwitch ?? null;
  if (asked === null) return true;
  return keySwitch === null ? effect === "forbid" : keySwitch === (asked === "on");
}
