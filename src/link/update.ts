/** Updates of the box's image: what `niac update` asks of control. */
import * as z from "zod";
import { defineCall, defineEvent } from "../base/index.ts";

const slot = z.enum(["A", "B"]);

const updateSchema = z.strictObject({
  id: z.string(),
  /** Milliseconds since the epoch, both. */
  begun: z.number(),
  changed: z.number(),
  source: z.string(),
  by: z.string(),
  from: z.string(),
  version: z.string(),
  /** SHA-256 of the bundle's manifest, hexadecimal. */
  hash: z.string(),
  /** Where it is written. */
  slot,
  /**
   * installing; installed: waits for a restart; trial: was, or is to be, started once; confirmed: called good, and becomes the default; good;
   * failed: not installed; rolled-back: tried, and left; dismissed: that somebody has seen; replaced: another was written over it.
   */
  state: z.enum([
    "installing",
    "installed",
    "trial",
    "confirmed",
    "good",
    "failed",
    "rolled-back",
    "dismissed",
    "replaced",
  ]),
  /** Why it failed or was left; empty: it was not. */
  reason: z.string(),
});
export type UpdateView = z.infer<typeof updateSchema>;
export { updateSchema };

const progressSchema = z.strictObject({ percent: z.number(), step: z.string() });
export type UpdateProgress = z.infer<typeof progressSchema>;

/** Told to whoever asked for an installation, while it lasts. */
export const updateProgress = defineEvent("update.progress", progressSchema);

const stateSchema = z.strictObject({
  version: z.string(),
  board: z.string(),
  /** What runs. */
  slot,
  /** The firmware started it once only; it is not called good yet. */
  trial: z.boolean(),
  /** The slot that the firmware starts by default; null: RAUC does not say. */
  primary: slot.nullable(),
  /** What is in the other slot; null: nothing that was installed whole. */
  other: z.string().nullable(),
  /** Nothing below this version is installed. */
  floor: z.string(),
  /** The newest last; a few. */
  updates: z.array(updateSchema),
  /** Of the installation that is under way; null: none is. */
  progress: progressSchema.nullable(),
});
export type UpdateState = z.infer<typeof stateSchema>;
/** Throws an UnavailableError where this appliance was not started from niac's image; so do all of these. */
export const updateShow = defineCall("update.show", z.null(), stateSchema);

/** `source`: an absolute path on the box, or a URL of the update server. Resolves when it is installed, after minutes; on record. */
export const updateInstall = defineCall(
  "update.install",
  z.strictObject({ source: z.string(), allowDowngrade: z.boolean(), again: z.boolean(), by: z.string() }),
  updateSchema,
);

/** Bundles on a USB stick that are looked at. */
export const MOST_BUNDLES = 16;

/**
 * Bundles on a USB stick: the newest that may be installed is; null: none of them. `passed`: why some were not looked at any further, though
 * nothing is wrong with them. `restarts`: the box restarts into it when no session is open.
 */
export const updateStick = defineCall(
  "update.stick",
  z.strictObject({ paths: z.array(z.string()).max(MOST_BUNDLES), by: z.string() }),
  z.strictObject({
    installed: updateSchema.nullable(),
    refused: z.array(z.string()),
    passed: z.array(z.string()),
    restarts: z.boolean(),
  }),
);

/** Restarts the box into what was installed, on trial. `now`: though sessions are open, which end. */
export const updateRestart = defineCall(
  "update.restart",
  z.strictObject({ now: z.boolean(), by: z.string() }),
  z.strictObject({ version: z.string(), sessions: z.int() }),
);

/** Asked until it is healthy, or nobody waits any longer: whether the image on trial does what it is there for. Healthy, it has become the default. */
export const updateConfirm = defineCall(
  "update.confirm",
  z.null(),
  z.strictObject({ healthy: z.boolean(), version: z.string(), why: z.array(z.string()) }),
);

/** The image on trial is given up; on record. The box then restarts, into the slot of before. `healthy`: it has become the default meanwhile, and stays. */
export const updateGiveUp = defineCall(
  "update.give-up",
  z.strictObject({ why: z.string() }),
  z.strictObject({ healthy: z.boolean(), version: z.string() }),
);

/** Somebody has seen why the last one was left; on record. */
export const updateDismiss = defineCall("update.dismiss", z.strictObject({ by: z.string() }), z.null());
