/** The box's clock, for administrators' commands: how it stands and where its time comes from, believing it, setting it. */
import * as z from "zod";
import { defineCall } from "../base/index.ts";

const timeServerSchema = z.strictObject({
  address: z.string(),
  /**
   * followed: the clock goes by it. answers: it is heard, and others are followed, or it is not judged yet. disbelieved: its time is too
   * far from the clock's, or other servers contradict it.
   */
  state: z.enum(["followed", "answers", "disbelieved", "silent"]),
  /** Milliseconds by which its time is ahead of the clock's; null: it does not answer. */
  ahead: z.number().nullable(),
});
export type TimeServer = z.infer<typeof timeServerSchema>;

const timeSourceSchema = z.discriminatedUnion("from", [
  /** `at`: when the clock was last put right by it, milliseconds since the epoch. */
  z.strictObject({ from: z.literal("server"), address: z.string(), at: z.number() }),
  /** `at`: the time that was set. */
  z.strictObject({ from: z.literal("hand"), at: z.number() }),
  /** At the start, from the chip that keeps it without power. */
  z.strictObject({ from: z.literal("chip") }),
  z.strictObject({ from: z.literal("nowhere") }),
  /** niac runs on a computer that looks after its clock itself. */
  z.strictObject({ from: z.literal("computer") }),
]);
export type TimeSource = z.infer<typeof timeSourceSchema>;

const clockSchema = z.strictObject({
  /** What the clock says, and the latest time known; milliseconds since the epoch. */
  now: z.number(),
  floor: z.number(),
  source: timeSourceSchema,
  /** Those of the site document, as far as the box has asked them. */
  servers: z.array(timeServerSchema),
});
export type ClockView = z.infer<typeof clockSchema>;

export const clockShow = defineCall("clock.show", z.null(), clockSchema);
/** From now on the clock is believed, even where it stands before the latest time known. */
export const clockAccept = defineCall("clock.accept", z.strictObject({ by: z.string() }), clockSchema);
/** Sets the clock, and the chip that keeps it without power; on record first. */
export const clockSet = defineCall(
  "clock.set",
  z.strictObject({
    /** Milliseconds since the epoch. */
    time: z.int(),
    by: z.string(),
  }),
  z.strictObject({
    clock: clockSchema,
    /** none: this box has no such chip. failed: it could not be written, and does not know the time after the next power cut. */
    chip: z.enum(["set", "none", "failed"]),
  }),
);
