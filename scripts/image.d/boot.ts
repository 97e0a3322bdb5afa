/** The boot slot of a board, the partition that says which slot starts, and the disk of both with the root. */
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { compileOverlay } from "../hw.d/trees.ts";
import { makeDisk, sizeOf } from "./disk.ts";
import { kernelVersion } from "./kernel.ts";
import { makeFat } from "./slot.ts";
import { copyTree } from "./tree.ts";
import type { VerityRoot } from "./verity.ts";

export interface BootOptions {
  /** The project's folder. */
  readonly root: string;
  readonly board: string;
  readonly meta: Readonly<Record<string, string>>;
  /** Debian's packages, extracted. */
  readonly packages: string;
  readonly verity: VerityRoot;
  readonly work: string;
  readonly sourceDate: number;
  /** Path of an output by its name; `kernel`, `initramfs` and `root.img` are there. */
  readonly at: (name: string) => string;
}

export async function makeBoot(options: BootOptions): Promise<void> {
  const { root, board, meta, packages, verity, work, sourceDate, at } = options;
  writeFileSync(at("cmdline.txt"), `${commandLine(meta, verity)}\n`);
  const slot = join(work, "slot");
  mkdirSync(slot);
  copyFileSync(at("kernel"), join(slot, "kernel8.img"));
  copyFileSync(at("initramfs"), join(slot, "initramfs8"));
  copyFileSync(at("cmdline.txt"), join(slot, "cmdline.txt"));
  const firmware = join(packages, "usr/lib/raspi-firmware");
  for (const name of words(meta["FIRMWARE"])) copyFileSync(join(firmware, name), join(slot, name));
  const dtb = join(packages, "usr/lib/modules", kernelVersion(packages), "dtb");
  for (const name of words(meta["TREES"]))
    copyFileSync(join(dtb, name), join(slot, name.replace(/.*\//, "")));
  const extra = join(root, "image/boards", board, "slot");
  if (existsSync(extra)) {
    copyTree(extra, slot);
    mkdirSync(join(slot, "overlays"));
    await compileOverlay(join(root, "hw", board, "niac.dts"), join(slot, "overlays/niac.dtbo"));
  }
  await makeFat({
    file: at("boot.vfat"),
    size: sizeOf("boot_a"),
    label: "NIACBOOT",
    volumeId: "4e494143",
    tree: slot,
    sourceDate,
  });
  const config = join(work, "config");
  mkdirSync(config);
  writeFileSync(join(config, "autoboot.txt"), autoboot(2));
  await makeFat({
    file: at("bootcfg.vfat"),
    size: sizeOf("bootcfg"),
    label: "NIACCFG",
    volumeId: "4e494144",
    tree: config,
    sourceDate,
  });
  await makeDisk(at(`niac-${board}.img`), {
    bootcfg: at("bootcfg.vfat"),
    boot_a: at("boot.vfat"),
    root_a: at("root.img"),
  });
}

/** The words of one of meta's values. */
export function words(text = ""): string[] {
  return text.split(" ").filter((word) => word !== "");
}

/** The kernel's command line; who boots what is the firmware's to say (initramfs/init). */
function commandLine(meta: Readonly<Record<string, string>>, verity: VerityRoot): string {
  return [
    `console=${meta["CONSOLE"] ?? ""}`,
    "quiet",
    "loglevel=4",
    "panic=10",
    "rd.systemd.gpt_auto=0",
    "systemd.gpt_auto=0",
    `niac.disks=${meta["DISKS"] ?? ""}`,
    `niac.roothash=${verity.rootHash}`,
    `niac.hashoffset=${verity.hashOffset}`,
  ].join(" ");
}

/** What the Pi's firmware reads first: the slot it starts, and the other one where the one-shot flag is set. */
function autoboot(partition: 2 | 3): string {
  return `[all]\ntryboot_a_b=1\nboot_partition=${partition}\n[tryboot]\nboot_partition=${5 - partition}\n`;
}
