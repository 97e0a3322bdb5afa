/** A card that rots: a slot that is not what was signed is never started, and where there is another one the box goes on with that. */
import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { BoxBed } from "../support/box/bed.ts";
import { Box } from "../support/box/box.ts";
import { keptBox } from "../support/box/kept.ts";
import { copyPartition, partition } from "../support/box/medium.ts";
import { plantForBox } from "../support/box/plant.ts";
import { testWithBox } from "../support/box/shared.ts";

/** The card's block about its starts (image/rootfs/usr/lib/niac/starts). */
const STARTS = 254 * 4096;

const check = testWithBox((t) => Promise.resolve(t));

/** One bit of the slot's root, so many bytes after its beginning. */
function rot(card: string, slot: "root_a" | "root_b", offset: number): void {
  const place = partition(card, slot).start + offset;
  const disk = openSync(card, "r+");
  const byte = Buffer.alloc(1);
  readSync(disk, byte, 0, 1, place);
  byte.writeUInt8(byte.readUInt8() ^ 1);
  writeSync(disk, byte, 0, 1, place);
  closeSync(disk);
}

check(
  "a root with one changed bit is not started: the console says why, and with no other slot the box tries again",
  async (t, teardown) => {
    const box = await Box.assemble(teardown, plantForBox(teardown), { settings: null });
    // In the squashfs' first block, which every boot reads.
    rot(box.card.file, "root_a", 64);
    await box.on();
    await box.bootsAgain(1);
    const [first] = box.boots;
    t.regex(first?.console ?? "", /data block 0 is corrupted|slot A holds no root file system/);
    t.is(first?.ended, "guest-reset");
    t.notRegex(first?.console ?? "", /Welcome to/);
    t.is(box.boot.slot, "A");
    await box.cut(1);
  },
);

check(
  "a bad block that only some program meets is found after a few starts, and the box goes on with the other slot for good",
  async (t, teardown) => {
    const bed = await BoxBed.assemble(teardown, { kept: keptBox() });
    const { box } = bed;
    for (const part of ["boot", "root"]) copyPartition(box.card.file, `${part}_a`, `${part}_b`);
    rot(box.card.file, "root_a", 40 * 1024 ** 2);
    // As after three starts that came to nothing.
    const disk = openSync(box.card.file, "r+");
    writeSync(disk, Buffer.from("niac starts: 3 -\n".padEnd(4096, "\0")), 0, 4096, STARTS);
    closeSync(disk);
    await box.on();
    await box.bootsAgain(1);
    await bed.ready();
    t.deepEqual(
      box.boots.map(({ slot, tryboot, ended }) => [slot, tryboot, ended]),
      [
        ["A", false, "guest-reset"],
        ["B", true, null],
      ],
    );
    t.regex(box.boots[0]?.console ?? "", /slot A is damaged; the other slot is tried in its place/);
    const good = async (): Promise<boolean> =>
      (await bed.records("kind=box")).some(({ detail }) => detail?.["action"] === "update-good");
    await box.until(good, "slot B to be called good");
    await bed.becomesDefault("3");
    t.regex(await box.out("niac status"), /slot A is damaged/);
  },
);
