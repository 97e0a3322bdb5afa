/** The power goes at a random moment of an update, or of the start into it: the box starts, works, and has it on record. */
import type { ExecutionContext } from "ava";
import type { CardCounts } from "./card.ts";
import type { Ran } from "./console.ts";
import type { UpdateBed } from "./update-bed.ts";

/** Requests to write that the card gets in an update and its trial, measured; a cut comes after any number of them. */
const WRITES = 680;
/**
 * Writes to the boot partition's configuration when an image becomes the default, one more than come: three, counted. A cut in all the others
 * hits these few too seldom.
 */
const COMMIT = 4;
/** What may have become of an update that power was taken from. */
const ENDS = ["update-failed", "update-rolled-back", "update-good", "update-installed", "update-dismissed"];
/** The partition that autoboot.txt names for a slot. */
const PARTITIONS = { A: "2", B: "3" } as const;

/**
 * `among`: which of the card's writes the cut falls between: all of the update's, or those that change what starts by default. Returns when it
 * fell, and what became of the update.
 */
export async function cutDuringUpdate(
  t: ExecutionContext,
  updates: UpdateBed,
  among: "all" | "commit",
  next: () => number,
): Promise<string> {
  const { bed } = updates;
  const { box } = bed;
  const bundle = updates.bundles.later();
  const before = (await updates.actions()).length;
  const whole = await bed.recordIsWhole();
  const writes = Math.floor(next() * (among === "commit" ? COMMIT : WRITES));
  const begun = await box.card.counts();
  const [slot, boots] = [box.boot.slot, box.boots.length];
  const stopped = box.card.stopsAfter(writes, among === "commit" ? "bootcfg" : null);
  const asked = updates.install(bundle, "--again", "--allow-downgrade", "--reboot", "--now");
  // Where that many writes do not come, the power goes when all is done.
  let gone = false;
  const done = over(updates, asked, boots, () => gone);
  await Promise.race([stopped, done]);
  gone = true;
  // What waits for a box that has no power any more has nothing to say.
  done.catch(() => undefined);
  const now = await box.card.counts();
  const had = `${now.writes - begun.writes} came, ${configuration(now) - configuration(begun)} bytes of them to the boot configuration`;
  const during = `${had}; ${box.boots.length} boots, slot ${box.boot.slot}${box.boot.tryboot ? " on trial" : ""}`;
  const lost = await box.cut(Math.floor(next() * 2 ** 31));
  await box.on();
  await bed.ready();
  const about = `after ${writes} writes${among === "commit" ? " to the boot configuration" : ""} (from slot ${slot}; ${during}; ${lost} blocks lost)`;
  t.true((await bed.recordIsWhole()) >= whole, `${about}: the record`);
  await box.until(
    () => ended(updates, before),
    `${about}: the update's end on record, and what the box starts to agree with it`,
  );
  t.is(await bed.byDefault(), PARTITIONS[box.boot.slot], `${about}: it started what is the default`);
  const became = (await updates.actions()).slice(before).join(", ") || "nothing had begun";
  t.is(await box.out("systemctl --failed --plain --no-legend"), "", about);
  await bed.readsAgain(about);
  return `${about}: ${became}; starts from slot ${box.boot.slot}`;
}

/** Until an update that was asked for is over: it failed, its slot is the default, or the box left it. `gone`: whether the power is. */
async function over(
  { bed }: UpdateBed,
  asked: Promise<Ran>,
  boots: number,
  gone: () => boolean,
): Promise<void> {
  // Its answer may be lost in the restart.
  const answer = await asked.catch(() => null);
  if (gone() || (answer !== null && answer.code !== 0)) return;
  const { slot } = await bed.box.bootsAgain(boots);
  const isOver = async (): Promise<boolean> =>
    gone() || bed.box.boots.length > boots + 1 || (await bed.byDefault()) === PARTITIONS[slot];
  await bed.box.until(isOver, "the update's end");
}

/** What is on record of the last update since then, and whether what the box starts agrees with it. */
async function ended(updates: UpdateBed, before: number): Promise<boolean> {
  const last = (await updates.updates()).slice(before).at(-1)?.detail;
  const action = String(last?.["action"]);
  if (last === undefined) return true;
  if (!ENDS.includes(action)) return false;
  const partition = last["slot"] === "A" ? PARTITIONS.A : PARTITIONS.B;
  const isDefault = (await updates.bed.byDefault()) === partition;
  // That it is good is on record before it is the default; cut between the two, what it is in the end follows.
  return action === "update-good" ? isDefault : action === "update-rolled-back" ? !isDefault : true;
}

/** Bytes that the partition got which says what starts. */
function configuration({ ranges }: CardCounts): number {
  return ranges.find(({ name }) => name === "bootcfg")?.bytes ?? 0;
}
