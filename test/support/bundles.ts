/** Update bundles that are not what they should be, made from one that is. */
import { copyFileSync, openSync, closeSync, readSync, statSync, truncateSync, writeSync } from "node:fs";
import { join } from "node:path";
import { developmentKeys, type SigningKeys } from "../../scripts/image.d/keys.ts";
import { run } from "../../scripts/image.d/tools.ts";

/** RAUC's verity format: squashfs, its hash tree, the CMS signature with the manifest in it, and the signature's size in eight bytes. */
const SIZE_FIELD = 8;

/** Its last bytes are missing, as after a download that broke off. */
export function truncated(bundle: string, to: string): void {
  copyFileSync(bundle, to);
  truncateSync(to, Math.floor(statSync(to).size / 2));
}

/** One bit of the signature is another. */
export function badSignature(bundle: string, to: string): void {
  copyFileSync(bundle, to);
  // The signature's value stands at the end of the CMS message.
  flip(to, statSync(to).size - SIZE_FIELD - 4);
}

/** One bit of what is installed is another; signature and manifest are as they were. RAUC finds it while it reads. */
export function badContent(bundle: string, to: string): void {
  copyFileSync(bundle, to);
  flip(to, Math.floor(statSync(to).size / 3));
}

/** Keys of an authority that no box trusts. */
export function strangersKeys(directory: string): Promise<SigningKeys> {
  return developmentKeys(join(directory, "strangers-keys"));
}

/** A boot slot whose system comes up without these units: healthy to the kernel, and to nobody else. */
export async function bootSlotWithout(
  units: readonly string[],
  bootImage: string,
  to: string,
): Promise<void> {
  copyFileSync(bootImage, to);
  const env = { MTOOLS_SKIP_CHECK: "1" };
  const line = (await run("mtype", ["-i", to, "::cmdline.txt"], { env })).trim();
  const masked = units.map((unit) => `systemd.mask=${unit}`).join(" ");
  await run("mcopy", ["-o", "-i", to, "-", "::cmdline.txt"], { env, input: `${line} ${masked}\n` });
}

function flip(file: string, at: number): void {
  const descriptor = openSync(file, "r+");
  try {
    const byte = Buffer.alloc(1);
    readSync(descriptor, byte, 0, 1, at);
    byte[0] = (byte[0] ?? 0) ^ 1;
    writeSync(descriptor, byte, 0, 1, at);
  } finally {
    closeSync(descriptor);
  }
}
