/**
 * What a Raspberry Pi's firmware does with a disk, before QEMU's processor runs: reads autoboot.txt on the first partition, and starts the
 * slot named there; that of [tryboot] where the one-shot flag is set, which is cleared by it. The flag stands in the power controller's
 * register: a restart keeps it, a cut of the power does not.
 */
import { copyOut, readFrom } from "./medium.ts";
import { join } from "node:path";

/** The number of the partition to start, or why the text does not say it. */
export function bootPartition(autoboot: string, tryboot: boolean): number {
  let section = "all";
  let chosen: number | null = null;
  for (const raw of autoboot.split(/\r?\n/)) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    const named = /^\[(.*)\]$/.exec(line)?.[1];
    if (named !== undefined) section = named;
    const number = /^boot_partition=(\d+)$/.exec(line)?.[1];
    if (number !== undefined && (section === "all" || (tryboot && section === "tryboot")))
      chosen = Number(number);
  }
  if (chosen === null)
    throw new Error(`autoboot.txt names no partition to start: ${JSON.stringify(autoboot)}`);
  return chosen;
}

export interface Loaded {
  readonly partition: number;
  readonly slot: "A" | "B";
  readonly tryboot: boolean;
  readonly kernel: string;
  readonly initramfs: string;
  readonly commandLine: string;
}

/** Takes what the chosen slot starts with off the disk, into `directory`. */
export function load(disk: string, tryboot: boolean, directory: string): Loaded {
  const autoboot = readFrom(disk, 1, "autoboot.txt");
  if (autoboot === null) throw new Error("there is no autoboot.txt on the first partition");
  const partition = bootPartition(autoboot.toString("utf8"), tryboot);
  const commandLine = readFrom(disk, partition, "cmdline.txt")?.toString("utf8").trim();
  if (commandLine === undefined) throw new Error(`there is no cmdline.txt on partition ${partition}`);
  const [kernel, initramfs] = [join(directory, "kernel8.img"), join(directory, "initramfs8")];
  copyOut(disk, partition, "kernel8.img", kernel);
  copyOut(disk, partition, "initramfs8", initramfs);
  return {
    partition,
    slot: partition === 2 ? "A" : "B",
    tryboot,
    kernel,
    initramfs,
    commandLine: `${commandLine} niac.partition=${partition} niac.tryboot=${tryboot ? 1 : 0}`,
  };
}
