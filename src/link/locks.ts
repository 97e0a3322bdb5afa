/** Locks, for administrators' commands. */
import * as z from "zod";
import { defineCall } from "../base/index.ts";
import { LOCK_KINDS, lockSchema } from "./trust.ts";

/** What came of a change: it is in force where it says so, when the command's answer comes. */
const effectSchema = z.strictObject({
  /** Sessions that it ended; null: the gateway is away, opens nothing new, and is told as soon as it attaches. */
  ended: z.int().nullable(),
  /** From the command's arrival to the gateway's word that it is in force. */
  milliseconds: z.number(),
  /** What did not come off, for the reader: not on record, not kept beyond a restart, not in the kernel's ruleset. */
  problems: z.array(z.string()),
});
export type LockEffect = z.infer<typeof effectSchema>;

export const locksAdd = defineCall(
  "locks.add",
  z.strictObject({
    kind: z.enum(LOCK_KINDS),
    value: z.string().min(1).max(255),
    reason: z.string().min(1).max(1_000),
    by: z.string(),
    /** Milliseconds since the epoch; null: until somebody unlocks. */
    until: z.int().nullable(),
  }),
  z.strictObject({ lock: lockSchema, effect: effectSchema }),
);

/** By id, or all of that kind and value. */
export const locksRemove = defineCall(
  "locks.remove",
  z.strictObject({
    which: z.union([
      z.strictObject({ id: z.string() }),
      z.strictObject({ kind: z.enum(LOCK_KINDS), value: z.string() }),
    ]),
    reason: z.string().max(1_000),
    by: z.string(),
  }),
  z.strictObject({ locks: z.array(lockSchema), effect: effectSchema }),
);

const endedLockSchema = lockSchema.extend({
  /** Milliseconds since the epoch; null: it is in force. */
  ended: z.int().nullable(),
  /** Null: its time was over. */
  endedBy: z.string().nullable(),
});
export type LockView = z.infer<typeof endedLockSchema>;

/** Those in force, and those that ended in the last thirty days; newest first. */
export const locksList = defineCall("locks.list", z.null(), z.array(endedLockSchema));
