/** The box itself: what is wrong with it, its panel and its health, and what a person has to say to that. */
import * as z from "zod";
import { defineCall } from "../base/index.ts";

const faultSchema = z.strictObject({
  /** What it is about, one word or two: `gateway`, `cover`, `update`. */
  source: z.string(),
  why: z.string(),
  /** What to do. */
  advice: z.string(),
  /** Milliseconds since the epoch. */
  since: z.number(),
});
/** Something that needs a person's eye. */
export type BoxFault = z.infer<typeof faultSchema>;

const flag = z.boolean().nullable();

const panelViewSchema = z.strictObject({
  /** How it stands; null, here and below: this panel has none, or it is not known now. */
  keySwitch: flag,
  cover: z.enum(["open", "closed"]).nullable(),
  /** Whether the jumper on the board opens the serial console. */
  console: flag,
  /** Whether what is granted with the key switch holds, which the key switch or the button said. */
  allows: flag,
  /** Until when the button allows it, milliseconds since the epoch; null: it does not. */
  buttonUntil: z.number().nullable(),
  /** Since when an opened cover waits to be acknowledged, milliseconds since the epoch; null: none does. */
  opened: z.number().nullable(),
});
export type PanelView = z.infer<typeof panelViewSchema>;

const boxSchema = z.strictObject({
  faults: z.array(faultSchema),
  /** Null: this box is to have none. */
  panel: panelViewSchema.nullable(),
  health: z.strictObject({
    /** Degrees Celsius; null: nothing measures it. */
    temperature: z.number().nullable(),
    clockChip: z.enum(["none", "keeps time", "lost"]),
    /** Bytes. */
    storage: z.strictObject({ free: z.number(), size: z.number() }).nullable(),
    /** What opens the box's data: its TPM, or nothing beyond the card that they are on. */
    sealed: z.enum(["tpm", "card"]).nullable(),
  }),
});
export type BoxView = z.infer<typeof boxSchema>;
export { boxSchema };

/** Somebody has looked at an opened cover; on record. `opened`: since when it was known. */
export const panelAcknowledge = defineCall(
  "panel.acknowledge",
  z.strictObject({ reason: z.string(), by: z.string() }),
  z.strictObject({ opened: z.number() }),
);

/** The serial console's root shell, for the record. `why`: what opened it, the jumper on the board or the settings' file. */
export const consoleShell = defineCall(
  "console.shell",
  z.strictObject({ state: z.enum(["opened", "closed"]), why: z.enum(["jumper", "setting"]) }),
  z.null(),
);
