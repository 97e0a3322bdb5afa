/** How the box is, as far as its kernel says: heat, its clock chip, room on its storage. */
import { statfsSync } from "node:fs";
import { join } from "node:path";
import { systemCode } from "../base/index.ts";
import { readClockChip } from "./clock-chip.ts";
import { list, read } from "./sysfs.ts";

export interface Health {
  /** Of the hottest place, degrees Celsius; null: nothing measures it. */
  readonly temperature: number | null;
  /** Keeps the time without power. lost: its battery is flat or was away, and it says so. */
  readonly clockChip: "none" | "keeps time" | "lost";
  /** Bytes, where control keeps its state; null: cannot be asked. */
  readonly storage: { readonly free: number; readonly size: number } | null;
  /** What opens the box's data: its TPM, or nothing beyond the card that they are on; null: not known. */
  readonly sealed: "tpm" | "card" | null;
}

/** Written by the image's script that opens the data partition. */
const SEALED = "/run/niac-boot/sealed";

/** `root`: where sysfs is. */
export function readHealth(stateDir: string, root = "/sys", sealedFile = SEALED): Health {
  const sealed = read(sealedFile);
  return {
    temperature: hottest(root),
    clockChip: clockChip(root),
    storage: storage(stateDir),
    sealed: sealed === "tpm" || sealed === "card" ? sealed : null,
  };
}

/** Documentation/driver-api/thermal/sysfs-api.rst: thousandths of a degree. A zone that cannot be read measures nothing. */
function hottest(root: string): number | null {
  const folder = join(root, "class/thermal");
  const values = list(folder)
    .filter((name) => /^thermal_zone\d+$/.test(name))
    .map((name) => read(join(folder, name, "temp")))
    .filter((text) => /^-?\d{1,7}$/.test(text))
    .map((text) => Number(text) / 1_000);
  return values.length === 0 ? null : Math.max(...values);
}

function clockChip(root: string): Health["clockChip"] {
  const chip = readClockChip(root);
  if (chip === null) return "none";
  return chip.keepsTime ? "keeps time" : "lost";
}

function storage(directory: string): Health["storage"] {
  try {
    const { bsize, blocks, bavail } = statfsSync(directory);
    return { free: bavail * bsize, size: blocks * bsize };
  } catch (error) {
    if (systemCode(error) === "") throw error;
    return null;
  }
}
