/**
 * A box that was taken into use, with its TPM and the laptop that enrolled: kept by the first test file that has one, for those after it, which
 * then need no first boot and no enrolment of their own. Both cost minutes. Kept for this very image, and thrown away with the next.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { IMAGE } from "./image.ts";

export interface KeptBox {
  /** The disk's file. */
  readonly card: string;
  /** Folder of swtpm's state. */
  readonly tpm: string;
  /** The laptop's home. */
  readonly home: string;
}

const FOLDER = join(IMAGE, "../kept");

/** Null: nobody has kept one of this image yet. */
export function keptBox(): KeptBox | null {
  const place = placeOf();
  return existsSync(place) ? partsOf(place) : null;
}

/** Copies what makes the box; it must be off. */
export function keepBox({ card, tpm, home }: KeptBox): void {
  const place = placeOf();
  const making = `${place}.making`;
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(making, { recursive: true });
  const to = partsOf(making);
  copy(card, to.card);
  copy(tpm, to.tpm);
  copy(home, to.home);
  renameSync(making, place);
}

/** With its holes, and without sockets, which are nobody's any more. */
export function copy(from: string, to: string): void {
  execFileSync("cp", ["--archive", "--sparse=always", "--reflink=auto", from, to]);
}

function placeOf(): string {
  const image = createHash("sha256").update(readFileSync(join(IMAGE, "manifest.json")));
  return join(FOLDER, image.digest("hex").slice(0, 16));
}

function partsOf(place: string): KeptBox {
  return { card: join(place, "card.img"), tpm: join(place, "tpm"), home: join(place, "home") };
}
