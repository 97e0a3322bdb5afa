/** The power goes at a random moment of an update or of the start into it: the box starts, works, and has it on record. */
import type { Card, CardCounts } from "../support/box/card.ts";
import { chance, SEED } from "../support/box/seed.ts";
import { testWithBox } from "../support/box/shared.ts";
import { UpdateBed } from "../support/box/update-bed.ts";

/** One in each run, at another moment by each seed; NIAC_POWER_CUTS=20 for an hour. */
const CUTS = Number(process.env["NIAC_POWER_CUTS"] ?? 1);
/** Requests to write that the card gets in an update and its trial, measured; a cut comes after any number of them. */
const WRITES = Number(process.env["NIAC_POWER_CUT_WRITES"] ?? 680);
/**
 * Writes to the boot partition's configuration when an image becomes the default, one more than come: three, counted. A cut in all the others
 * hits these few too seldom: every second one comes among them.
 */
const COMMIT = 4;
/** Milliseconds in which a box at rest writes a few times, and one that starts or updates writes more often than that. */
const REST = 90_000;
const FEW = 40;
/** What may have become of an update that power was taken from. */
const ENDS = ["update-failed", "update-rolled-back", "update-good", "update-installed", "update-dismissed"];

/** The partition that autoboot.txt names for a slot. */
const PARTITIONS = { A: "2", B: "3" } as const;

const check = testWithBox((t) => UpdateBed.start(t));

const next = chance(SEED);

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

/** Resolves when the card has come to rest. */
async function rest(card: Card, over: () => boolean): Promise<void> {
  let [before, now] = [-Infinity, (await card.counts()).writes];
  while (now - before >= FEW && !over()) {
    await new Promise((resolve) => setTimeout(resolve, REST));
    [before, now] = [now, (await card.counts()).writes];
  }
}

for (let cut = 1; cut <= CUTS; cut++)
  check(
    `power cut ${cut} of ${CUTS}, at a random moment of an update (NIAC_SEED=${SEED})`,
    async (t, updates) => {
      const { bed, bundles } = updates;
      const { box } = bed;
      const bundle = bundles.later();
      const before = (await updates.actions()).length;
      const whole = await bed.recordIsWhole();
      const commit = CUTS > 1 ? cut % 2 === 0 : next() < 0.5;
      const writes = Math.floor(next() * (commit ? COMMIT : WRITES));
      const begun = await box.card.counts();
      const stopped = box.card.stopsAfter(writes, commit ? "bootcfg" : null);
      const slot = box.boot.slot;
      void updates
        .install(bundle, "--again", "--allow-downgrade", "--reboot", "--now")
        .catch(() => undefined);
      // Where that many do not come, it goes when all is done.
      let over = false;
      await Promise.race([stopped, rest(box.card, () => over)]);
      over = true;
      const now = await box.card.counts();
      const had = `${now.writes - begun.writes} came, ${configuration(now) - configuration(begun)} bytes of them to the boot configuration`;
      const during = `${had}; ${box.boots.length} boots, slot ${box.boot.slot}${box.boot.tryboot ? " on trial" : ""}`;
      const lost = await box.cut(Math.floor(next() * 2 ** 31));
      await box.on();
      await bed.ready();
      const about = `after ${writes} writes${commit ? " to the boot configuration" : ""} (from slot ${slot}; ${during}; ${lost} blocks lost)`;
      t.true((await bed.recordIsWhole()) >= whole, `${about}: the record`);
      await box.until(
        () => ended(updates, before),
        `${about}: the update's end on record, and what the box starts to agree with it`,
      );
      t.is(await bed.byDefault(), PARTITIONS[box.boot.slot], `${about}: it started what is the default`);
      t.log(
        `${about}: ${(await updates.actions()).slice(before).join(", ") || "nothing had begun"}; starts from slot ${box.boot.slot}`,
      );
      t.is(await box.out("systemctl --failed --plain --no-legend"), "", about);
      await bed.readsAgain(about);
    },
  );
