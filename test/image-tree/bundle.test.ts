/** The update bundle as RAUC itself reads it, with the keyring and the configuration out of the image. */
import { randomBytes } from "node:crypto";
import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ExecutionContext } from "ava";
import { z } from "zod";
import { makeBundle } from "../../scripts/image.d/bundle.ts";
import { developmentKeys } from "../../scripts/image.d/keys.ts";
import { fileHash } from "../../scripts/image.d/tools.ts";
import { flipBit } from "../support/damage.ts";
import {
  BOARD,
  imageFile,
  imageManifest,
  mountedRoot,
  testImage,
  tool,
  type Answer,
} from "../support/image-tree.ts";

const NAME = "niac-qemu-arm64.raucb";
/** RAUC's layout: payload, signature (CMS), and the signature's length in eight bytes, big-endian. */
const LENGTH = 8;

const withRauc = testImage("root", "mount", "rauc", "openssl");

const infoSchema = z.object({
  compatible: z.string(),
  version: z.string(),
  description: z.string(),
  images: z.array(
    z.record(z.string(), z.object({ filename: z.string(), size: z.number(), checksum: z.string() })),
  ),
});

class Reader {
  readonly dir: string;
  readonly #conf: string;

  /** Trusts what `keyring` says; by default that of the image, whose purpose of certificates, code signing, is asked as on the box. */
  constructor(t: ExecutionContext, keyring = join(mountedRoot(t), "etc/rauc/keyring.pem")) {
    this.dir = mkdtempSync(join(tmpdir(), "niac-bundle-"));
    t.teardown(() => rmSync(this.dir, { recursive: true }));
    this.#conf = join(this.dir, "system.conf");
    cpSync(keyring, join(this.dir, "keyring.pem"));
    writeFileSync(
      this.#conf,
      `[system]\ncompatible=niac-qemu-arm64\nbootloader=noop\n[keyring]\npath=${join(this.dir, "keyring.pem")}\ncheck-purpose=codesign\n`,
    );
  }

  info(bundle = imageFile(NAME), format = "json"): Answer {
    return tool("rauc", `--conf=${this.#conf}`, "info", `--output-format=${format}`, bundle);
  }

  extract(to: string, bundle = imageFile(NAME)): Answer {
    return tool("rauc", `--conf=${this.#conf}`, "extract", bundle, to);
  }

  /** A copy of the bundle to do damage to. */
  copy(): string {
    const path = join(this.dir, NAME);
    cpSync(imageFile(NAME), path);
    return path;
  }
}

withRauc(
  "RAUC reads board, version and slots from the bundle, and the hashes are those of what was made",
  async (t) => {
    const reader = new Reader(t);
    const { code, out, err } = reader.info();
    t.is(code, 0, err);
    const { images, ...info } = infoSchema.parse(JSON.parse(out));
    const { version } = imageManifest();
    t.deepEqual(info, {
      compatible: "niac-qemu-arm64",
      version,
      description: `niac ${version} for QEMU virt, arm64`,
    });
    // The box checks each block of it as it reads it.
    t.regex(reader.info(imageFile(NAME), "readable").out, /^Bundle Format:\s*verity$/m);
    const parts = Object.fromEntries(images.flatMap((one) => Object.entries(one)));
    t.deepEqual(Object.keys(parts).toSorted(), ["boot", "root"]);
    for (const [slot, file] of [
      ["boot", "boot.vfat"],
      ["root", "root.img"],
    ] as const) {
      const path = imageFile(file);
      t.deepEqual(
        parts[slot],
        { filename: file, size: statSync(path).size, checksum: await fileHash(path) },
        slot,
      );
    }
  },
);

withRauc(
  "what RAUC takes out of the bundle is the boot slot and the root that are on the disk",
  async (t) => {
    const reader = new Reader(t);
    const to = join(reader.dir, "taken");
    const { code, err } = reader.extract(to);
    t.is(code, 0, err);
    for (const file of ["boot.vfat", "root.img"])
      t.is(await fileHash(join(to, file)), await fileHash(imageFile(file)), file);
  },
);

withRauc("a bundle with one flipped bit in its signature, or in the signature's length, is refused", (t) => {
  const reader = new Reader(t);
  const whole = statSync(imageFile(NAME)).size;
  const signature = Number(readFileSync(imageFile(NAME)).readBigUInt64BE(whole - LENGTH));
  const first = whole - LENGTH - signature;
  const copy = reader.copy();
  // The manifest stands in the signature; its last byte is the signature's own.
  for (const [where, at] of [
    ["the manifest", first + readFileSync(copy).subarray(first).indexOf("sha256=")],
    ["the last byte", whole - LENGTH - 1],
    ["the length", whole - 2],
  ] as const) {
    flipBit(copy, at);
    const { code, out } = reader.info(copy);
    t.not(code, 0, `${where}\n${out}`);
    flipBit(copy, at);
  }
  t.is(reader.info(copy).code, 0, "and is taken as it was");
  return Promise.resolve();
});

withRauc("a bundle with one flipped bit in its payload gives nothing away as good", (t) => {
  const reader = new Reader(t);
  const copy = reader.copy();
  const payload = statSync(copy).size;
  for (const [where, at] of [
    ["first block", 1_000],
    ["middle", Math.floor(payload / 2)],
  ] as const) {
    flipBit(copy, at);
    const to = join(reader.dir, `taken-${at}`);
    t.not(reader.extract(to, copy).code, 0, where);
    flipBit(copy, at);
  }
  return Promise.resolve();
});

withRauc(
  "a bundle that another authority signed is refused, and so is this one by a box of another authority",
  async (t) => {
    const reader = new Reader(t);
    const other = await developmentKeys(join(reader.dir, "other"));
    const [boot, root, foreign] = ["boot.vfat", "root.img", "foreign.raucb"].map((name) =>
      join(reader.dir, name),
    );
    if (boot === undefined || root === undefined || foreign === undefined) return t.fail();
    for (const file of [boot, root]) writeFileSync(file, randomBytes(65_536));
    const what = { board: BOARD, version: "9.0.0", description: "a stranger's" };
    await makeBundle({ ...what, boot, root, keys: other, file: foreign });
    const elsewhere = new Reader(t, other.keyring);
    t.is(elsewhere.info(foreign).code, 0, "whoever trusts that authority takes it");
    const refused = reader.info(foreign);
    t.not(refused.code, 0);
    t.regex(refused.err, /signature verification failed/i);
    t.regex(elsewhere.info().err, /signature verification failed/i);
  },
);
