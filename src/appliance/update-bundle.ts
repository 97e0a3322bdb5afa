/** Whether a bundle may be installed on this box. Pure; what RAUC itself checks (signature, format) came before. */
import { UsageError } from "../base/index.ts";
import { aboveFloor, type ImageBox } from "./update-box.ts";
import { compareVersions, isVersion } from "./update-version.ts";

/** What a bundle says of itself, its signature checked. */
export interface BundleFacts {
  readonly version: string;
  /** `niac-<board>`. */
  readonly compatible: string;
  /** SHA-256 of its manifest, hexadecimal: whoever knows it knows every byte. */
  readonly hash: string;
  /** For the reader; may be empty. */
  readonly description: string;
  /** Classes of slots that it has something for. */
  readonly slots: readonly string[];
}

export interface InstallWish {
  /** An older version than runs now, though not one below the floor. */
  readonly allowDowngrade: boolean;
  /** The version that runs now. */
  readonly again: boolean;
}

/** Throws a UsageError that says why not. */
export function mayInstall(bundle: BundleFacts, box: ImageBox, floor: string, wish: InstallWish): void {
  const { version, compatible } = bundle;
  if (compatible !== compatibleOf(box)) {
    throw new UsageError(
      "update-board",
      `the bundle is for ${compatible}, and this box is ${compatibleOf(box)}`,
      "Take the bundle for this board.",
    );
  }
  if (!isVersion(version)) {
    throw new UsageError(
      "update-version",
      `the bundle's version is ${JSON.stringify(version)}, which is no version such as 1.4.0`,
    );
  }
  if (!["boot", "root"].every((slot) => bundle.slots.includes(slot))) {
    throw new UsageError(
      "update-parts",
      `the bundle holds ${bundle.slots.join(" and ") || "nothing"}, and an update is boot and root together`,
    );
  }
  if (!aboveFloor(version, floor)) {
    throw new UsageError(
      "update-floor",
      `the bundle is ${version}, and this box takes nothing below ${floor} any more`,
      `Take a bundle of ${floor} or above.`,
    );
  }
  const order = compareVersions(version, box.version);
  if (order === 0 && !wish.again) {
    throw new UsageError(
      "update-same",
      `the bundle is ${version}, which runs already`,
      "To install it once more: --again.",
    );
  }
  if (order < 0 && !wish.allowDowngrade) {
    throw new UsageError(
      "update-downgrade",
      `the bundle is ${version}, older than ${box.version}, which runs`,
      "To go back on purpose: --allow-downgrade.",
    );
  }
}

export function compatibleOf({ board }: Pick<ImageBox, "board">): string {
  return `niac-${board}`;
}
