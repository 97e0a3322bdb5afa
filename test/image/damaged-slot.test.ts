import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { Box } from "../support/box/box.ts";
import { partition } from "../support/box/medium.ts";
import { plantForBox } from "../support/box/plant.ts";
import { testWithBox } from "../support/box/shared.ts";

const check = testWithBox((t) => Box.assemble(t, plantForBox(t), { settings: null }));

check(
  "a root with one changed bit is not started: the console says why, and the box tries again",
  async (t, box) => {
    // In the squashfs' first block, which every boot reads.
    const place = partition(box.card.file, "root_a").start + 64;
    const disk = openSync(box.card.file, "r+");
    const byte = Buffer.alloc(1);
    readSync(disk, byte, 0, 1, place);
    byte.writeUInt8(byte.readUInt8() ^ 1);
    writeSync(disk, byte, 0, 1, place);
    closeSync(disk);
    await box.on();
    await box.bootsAgain(1);
    const [first] = box.boots;
    t.regex(first?.console ?? "", /data block 0 is corrupted|slot A holds no root file system/);
    t.is(first?.ended, "guest-reset");
    t.notRegex(first?.console ?? "", /Welcome to/);
  },
);
