/** The disk as it is written to a card: its table, and what its partitions hold; and that one wrong bit of the root is found. */
import { execFileSync } from "node:child_process";
import {
  closeSync,
  copyFileSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ExecutionContext } from "ava";
import { z } from "zod";
import { fileHash } from "../../scripts/image.d/tools.ts";
import { flipBit } from "../support/damage.ts";
import { imageFile, imageManifest, testImage, tool, type Answer } from "../support/image-tree.ts";

const MIB = 1_048_576;
const BLOCK = 4096;
const SECTOR = 512;
const DISK = "niac-qemu-arm64.img";
const FAT = "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7";
const LINUX = "0FC63DAF-8483-4772-8E79-3D69D8477DE4";

/** image/README.md's table. The first boot lets the last one grow to the disk's end. */
const PARTITIONS = [
  ["bootcfg", 64, FAT],
  ["boot_a", 128, FAT],
  ["boot_b", 128, FAT],
  ["root_a", 384, LINUX],
  ["root_b", 384, LINUX],
  ["data", 64, LINUX],
] as const;

const tableSchema = z.object({
  partitiontable: z.object({
    label: z.string(),
    partitions: z.array(
      z.object({ name: z.string(), start: z.number(), size: z.number(), type: z.string() }),
    ),
  }),
});

function table(): z.infer<typeof tableSchema>["partitiontable"] {
  const { out } = tool("sfdisk", "--json", imageFile(DISK));
  return tableSchema.parse(JSON.parse(out)).partitiontable;
}

function startOf(name: string): number {
  const found = table().partitions.find((one) => one.name === name);
  if (found === undefined) throw new Error(`there is no partition ${name}`);
  return found.start * SECTOR;
}

const withDisk = testImage("sfdisk");
const withFiles = testImage("sfdisk", "mcopy", "mdir", "minfo");
const withVerity = testImage("veritysetup");

withDisk(
  "the disk has the six partitions, one after the other from its first MiB on, and is the manifest's",
  async (t) => {
    const { label, partitions } = table();
    t.is(label, "gpt");
    t.deepEqual(
      partitions.map(({ name, size, type }) => [name, (size * SECTOR) / MIB, type]),
      PARTITIONS.map((one) => [...one]),
    );
    let next = MIB / SECTOR;
    for (const { name, start, size } of partitions) {
      t.is(start, next, name);
      next += size;
    }
    t.is(await fileHash(imageFile(DISK)), imageManifest().image);
  },
);

withDisk(
  "slot A holds the boot slot and the root that were made; slot B and the data partition are empty",
  (t) => {
    for (const [name, file] of [
      ["bootcfg", "bootcfg.vfat"],
      ["boot_a", "boot.vfat"],
      ["root_a", "root.img"],
    ] as const) {
      const { size } = statSync(imageFile(file));
      t.is(
        tool(
          "cmp",
          `--bytes=${size}`,
          `--ignore-initial=${startOf(name)}:0`,
          imageFile(DISK),
          imageFile(file),
        ).code,
        0,
        name,
      );
    }
    for (const [name, size] of PARTITIONS.filter(([one]) => /_b$|data/.test(one))) {
      const { code, out } = tool(
        "cmp",
        `--bytes=${size * MIB}`,
        `--ignore-initial=${startOf(name)}:0`,
        imageFile(DISK),
        "/dev/zero",
      );
      t.is(code, 0, `${name}: ${out}`);
    }
    // The block that says whether the data partition was made (usr/lib/niac/disk).
    t.true(block(imageFile(DISK), 255 * BLOCK).equals(Buffer.alloc(BLOCK)));
    return Promise.resolve();
  },
);

withFiles("the first partition says that slot A starts, and B where the one-shot flag is set", (t) => {
  t.deepEqual(files("bootcfg.vfat"), ["autoboot.txt"]);
  t.is(
    content("bootcfg.vfat", "autoboot.txt").toString("utf8"),
    "[all]\ntryboot_a_b=1\nboot_partition=2\n[tryboot]\nboot_partition=3\n",
  );
  t.deepEqual([serial("bootcfg.vfat"), serial("boot.vfat")], ["4e494144", "4e494143"]);
  return Promise.resolve();
});

withFiles(
  "the boot slot holds kernel, initramfs and the command line with the root's hash, and nothing else",
  (t) => {
    t.deepEqual(files("boot.vfat"), ["cmdline.txt", "initramfs8", "kernel8.img"]);
    t.true(content("boot.vfat", "kernel8.img").equals(readFileSync(imageFile("kernel"))));
    t.true(content("boot.vfat", "initramfs8").equals(readFileSync(imageFile("initramfs"))));
    const { rootHash, hashOffset } = imageManifest();
    t.deepEqual(commandLine().slice(-2), [`niac.roothash=${rootHash}`, `niac.hashoffset=${hashOffset}`]);
    // A shell or another program in init's place would be asked for by one of these.
    t.deepEqual(
      commandLine().filter((word) =>
        /^(init|rd\.break|rdinit|single|systemd\.debug|systemd\.unit)/.test(word),
      ),
      [],
    );
    return Promise.resolve();
  },
);

withVerity("the root is what the boot slot's own hash says, and one flipped bit anywhere is found", (t) => {
  const { size } = statSync(imageFile("root.img"));
  const [hash = "", offset = ""] = commandLine()
    .slice(-2)
    .map((word) => word.replace(/.*=/, ""));
  const dir = scratch(t);
  const copy = join(dir, "root.img");
  copyFileSync(imageFile("root.img"), copy);
  const verify = (file = copy, root = hash): Answer =>
    tool("veritysetup", "verify", file, file, root, `--hash-offset=${offset}`);
  t.is(verify().code, 0, verify().err);
  const data = Number(offset);
  const blocks = data / BLOCK;
  for (const [where, at] of [
    ["data's first block", 0],
    ["data's middle", Math.floor(blocks / 2) * BLOCK + 100],
    ["data's last block", data - BLOCK],
    // The tree's superblock is a block of its own.
    ["the tree's head", data + BLOCK],
    ["the tree's middle", data + BLOCK + Math.floor((size - data) / BLOCK / 2) * BLOCK + 7],
    ["the tree's last block", size - BLOCK],
  ] as const) {
    flipBit(copy, at);
    t.not(verify().code, 0, where);
    flipBit(copy, at);
  }
  t.is(verify().code, 0, "and as it was it is good again");
  t.not(verify(copy, `${hash.slice(0, -1)}${hash.endsWith("0") ? "1" : "0"}`).code, 0, "by another hash");
  return Promise.resolve();
});

function scratch(t: ExecutionContext): string {
  const made = mkdtempSync(join(tmpdir(), "niac-card-"));
  t.teardown(() => rmSync(made, { recursive: true }));
  return made;
}

function block(path: string, at: number): Buffer {
  const file = openSync(path, "r");
  try {
    const bytes = Buffer.alloc(BLOCK);
    readSync(file, bytes, 0, BLOCK, at);
    return bytes;
  } finally {
    closeSync(file);
  }
}

function files(fat: string): string[] {
  return tool("mdir", "-b", "-i", imageFile(fat), "::")
    .out.trim()
    .split("\n")
    .map((line) => line.replace("::/", ""))
    .toSorted();
}

function content(fat: string, name: string): Buffer {
  return execFileSync("mcopy", ["-n", "-i", imageFile(fat), `::${name}`, "-"], { maxBuffer: 64 * MIB });
}

function serial(fat: string): string {
  return (
    /serial number: *(\w+)/i.exec(tool("minfo", "-i", imageFile(fat), "::").out)?.[1]?.toLowerCase() ?? ""
  );
}

/** The words of the boot slot's own command line, as the firmware would read it. */
function commandLine(): string[] {
  return content("boot.vfat", "cmdline.txt").toString("utf8").trim().split(" ");
}
