/** From what is known of an update and what runs, to what control has to do about it when it starts. Pure. */
import type { ImageBox } from "../appliance/index.ts";
import type { StoredUpdate } from "./update-store.ts";

export type Course =
  | { readonly do: "nothing" }
  /** The installation goes on, or ended while nobody looked. */
  | { readonly do: "follow" }
  /** This is the trial: whether it is good is asked from outside. */
  | { readonly do: "try" }
  /** The firmware was told to try it, and the box did not restart: control alone did. It is to be told anew. */
  | { readonly do: "wait again" }
  /** It is the default already; `recorded`: that it is good is on record. */
  | { readonly do: "good"; readonly recorded: boolean }
  | { readonly do: "rolled back"; readonly reason: string };

const NOT_UP = "the new slot did not come up: power cut, panic or watchdog";
const CUT_LATE = "it had been called good, and the box was cut off before it became the default";

/** `left`: what the slot on trial wrote down when it gave up; null: nothing. */
export function courseOf(
  update: Pick<StoredUpdate, "state" | "slot" | "boot"> | null,
  box: Pick<ImageBox, "slot" | "tryboot" | "bootId">,
  left: string | null,
): Course {
  if (update === null) return { do: box.tryboot ? "try" : "nothing" };
  const runs = update.slot === box.slot;
  switch (update.state) {
    case "installing":
      return { do: "follow" };
    case "installed":
      // Told to the firmware by somebody else than control.
      if (runs) return box.tryboot ? { do: "try" } : { do: "good", recorded: false };
      return { do: "nothing" };
    case "trial":
      if (runs) return box.tryboot ? { do: "try" } : { do: "good", recorded: false };
      if (update.boot === box.bootId) return { do: "wait again" };
      return { do: "rolled back", reason: left ?? NOT_UP };
    case "confirmed":
      if (runs) return box.tryboot ? { do: "try" } : { do: "good", recorded: true };
      return { do: "rolled back", reason: left ?? CUT_LATE };
    case "rolled-back":
      // Its commit was made, and RAUC did not say so when it was given up.
      if (runs && !box.tryboot) return { do: "good", recorded: false };
      return { do: box.tryboot ? "try" : "nothing" };
    case "good":
    case "failed":
    case "dismissed":
    case "replaced":
      return { do: box.tryboot ? "try" : "nothing" };
  }
}
