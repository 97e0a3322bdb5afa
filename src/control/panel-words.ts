/** What is done at the panel, and what the box itself is about, in words for the record. */
import { randomUUID } from "node:crypto";
import type { PanelInput } from "../appliance/index.ts";
import type { RecordDraft } from "../audit/index.ts";
import { durationText } from "../base/index.ts";
import type { EdgeSum } from "./edge-sums.ts";

export type PanelSum = EdgeSum<PanelInput, boolean | null>;

const MAX_REASON = 1_000;
/** Changes that a person makes at once, off and on again; more are counted. */
const FEW = 2;

const WORDS: Readonly<
  Record<
    PanelInput,
    {
      /** `detail.action`. */
      readonly action: string;
      readonly name: string;
      readonly now: string;
      readonly on: string;
      readonly off: string;
    }
  >
> = {
  keySwitch: {
    action: "key-switch",
    name: "key switch",
    now: "how the key switch stands",
    on: "the key switch is on: what is granted with it holds",
    off: "the key switch is off: what is granted with it does not hold",
  },
  button: {
    action: "button",
    name: "button",
    now: "how the button stands",
    on: "the button was pressed: what is granted with the key switch holds",
    off: "the button was pressed: it allows nothing now",
  },
  cover: {
    action: "tamper",
    name: "contact of the cover",
    now: "whether the cover is closed",
    on: "the cover of the box is open",
    off: "the cover of the box is closed",
  },
  console: {
    action: "console-jumper",
    name: "console jumper",
    now: "how the console jumper stands",
    on: "the console jumper is set: the serial console opens",
    off: "the console jumper is not set",
  },
};

export function contactName(input: PanelInput): string {
  return WORDS[input].name;
}

/** `buttonAllows`: milliseconds. */
export function panelDraft({ name, state, changes, time }: PanelSum, buttonAllows: number): RecordDraft {
  const { action, now, on, off } = WORDS[name];
  const said = state === null ? `${now} is not known now` : state ? on : off;
  const until = name === "button" && state === true ? `, for ${durationText(buttonAllows)}` : "";
  const sum = changes > FEW ? `; it changed ${changes} times since the last record` : "";
  return boxDraft(time, action, `${said}${until}${sum}`, {
    state: state === null ? "unknown" : state,
    ...(changes > FEW ? { changes } : {}),
  });
}

/** A record of the box itself. `action`: what it is about, for whoever searches. */
export function boxDraft(
  time: number,
  action: string,
  reason: string,
  detail: Readonly<Record<string, string | number | boolean>> = {},
): RecordDraft {
  return {
    time,
    kind: "box",
    id: randomUUID(),
    reason: reason.slice(0, MAX_REASON),
    detail: { action, ...detail },
  };
}
