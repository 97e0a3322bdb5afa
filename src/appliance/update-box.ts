/** What this box runs, as files of its image and its initramfs say: slot, trial, version, board, and below what it never goes again. */
import { readFileSync } from "node:fs";
import { systemCode } from "../base/index.ts";
import { compareVersions, isVersion, newestVersion, releaseOf } from "./update-version.ts";

export type Slot = "A" | "B";

export interface ImageBox {
  /** The slot that runs. */
  readonly slot: Slot;
  /** The firmware started it once only, on trial. */
  readonly tryboot: boolean;
  readonly version: string;
  readonly board: string;
  /** The kernel's, another after each start. */
  readonly bootId: string;
  /** A slot that the box could not be started from; null: none that is known. */
  readonly damaged: Slot | null;
}

export interface ImagePlaces {
  /** The initramfs' word, NAME=value lines. */
  readonly boot: string;
  readonly release: string;
  readonly bootId: string;
  /** Below what this image lets nobody go once it was good: a version. */
  readonly ownFloor: string;
  /** Below what no image installed here may be; the bootloader's script raises it, root alone writes it. */
  readonly floor: string;
  /** Why the last trial was given up, where control could not say so. */
  readonly lastFailure: string;
}

export const IMAGE_PLACES: ImagePlaces = Object.freeze({
  boot: "/run/niac-boot/env",
  release: "/etc/os-release",
  bootId: "/proc/sys/kernel/random/boot_id",
  ownFloor: "/usr/lib/niac/floor",
  floor: "/data/rauc/floor",
  lastFailure: "/data/rauc/last-failure",
});

/** Null: this computer was not started from niac's image, and nothing of it is updated this way. */
export function readImageBox(places: ImagePlaces = IMAGE_PLACES): ImageBox | null {
  const boot = lines(read(places.boot) ?? "");
  const release = lines(read(places.release) ?? "");
  const slot = boot.get("NIAC_SLOT");
  const [version, board] = [release.get("IMAGE_VERSION"), release.get("VARIANT_ID")];
  if (release.get("IMAGE_ID") !== "niac" || (slot !== "A" && slot !== "B")) return null;
  if (version === undefined || !isVersion(version) || board === undefined) return null;
  const tryboot = boot.get("NIAC_TRYBOOT") === "1";
  const bad = boot.get("NIAC_DAMAGED");
  const damaged = bad === "A" || bad === "B" ? bad : null;
  return { slot, tryboot, version, board, bootId: (read(places.bootId) ?? "").trim(), damaged };
}

/**
 * The release below which nothing is installed. A file that says something else was damaged: then it is what runs, so that damage opens no
 * way back. /usr/lib/niac/floor-of says the same.
 */
export function readFloor(box: ImageBox, places: ImagePlaces = IMAGE_PLACES): string {
  const kept = read(places.floor)?.trim();
  const own = read(places.ownFloor)?.trim() ?? "";
  const floors = [kept ?? own, own].map((text) =>
    isVersion(text) && releaseOf(text) === text ? text : releaseOf(box.version),
  );
  return newestVersion(floors) ?? releaseOf(box.version);
}

/** One line for the reader; null: nothing was left. */
export function readLastFailure(places: ImagePlaces = IMAGE_PLACES): string | null {
  return read(places.lastFailure)?.trim().split("\n")[0]?.slice(0, 500) || null;
}

export function otherSlot(slot: Slot): Slot {
  return slot === "A" ? "B" : "A";
}

/** Whether `version` may be installed as far as the floor goes. */
export function aboveFloor(version: string, floor: string): boolean {
  return compareVersions(version, floor) >= 0;
}

/** Null where there is no such file; what else goes wrong is the caller's to see. */
function read(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (systemCode(error) === "ENOENT" || systemCode(error) === "ENOTDIR") return null;
    throw error;
  }
}

function lines(text: string): Map<string, string> {
  return new Map(
    text.split("\n").flatMap((line) => {
      const [, name, value] = /^([A-Z_]+)=(?:"([^"]*)"|.*)$/.exec(line) ?? [];
      return name === undefined ? [] : [[name, value ?? line.slice(name.length + 1)] as const];
    }),
  );
}
