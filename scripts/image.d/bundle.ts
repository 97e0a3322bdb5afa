/** The update bundle: RAUC's, signed, in verity format: the box checks each block as it reads it, and can take it from the network. */
import { linkSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { SigningKeys } from "./keys.ts";
import { isInToken } from "./signing.ts";
import { run, SYSTEM_PATH } from "./tools.ts";

export interface BundleOptions {
  readonly board: string;
  readonly version: string;
  readonly description: string;
  /** The FAT of a boot slot and the verified root, beside `file` or on its file system. */
  readonly boot: string;
  readonly root: string;
  readonly keys: SigningKeys;
  readonly file: string;
}

export async function makeBundle(options: BundleOptions): Promise<void> {
  const { board, version, description, boot, root, keys, file } = options;
  mkdirSync(dirname(file), { recursive: true });
  const around = mkdtempSync(join(dirname(file), ".bundle-"));
  const content = join(around, "content");
  mkdirSync(content);
  try {
    linkSync(boot, join(content, "boot.vfat"));
    linkSync(root, join(content, "root.img"));
    writeFileSync(join(content, "manifest.raucm"), manifestOf({ board, version, description }));
    rmSync(file, { force: true });
    // What was signed is verified as the box will: by the keyring, and as code.
    const conf = join(around, "rauc.conf");
    writeFileSync(
      conf,
      `[system]\ncompatible=niac-${board}\nbootloader=noop\n[keyring]\npath=${keys.keyring}\ncheck-purpose=codesign\n`,
    );
    const words = [
      `--conf=${conf}`,
      "bundle",
      `--cert=${keys.certificate}`,
      `--key=${keys.key}`,
      content,
      file,
    ];
    // Which module reaches a token, and its PIN, stand in the caller's environment (RAUC_PKCS11_MODULE, RAUC_PKCS11_PIN), and what the module
    // itself looks for as well.
    await run("rauc", words, isInToken(keys.key) ? { env: { ...process.env, PATH: SYSTEM_PATH } } : {});
  } finally {
    rmSync(around, { recursive: true });
  }
}

export function manifestOf({
  board,
  version,
  description,
}: Pick<BundleOptions, "board" | "version" | "description">): string {
  return [
    "[update]",
    `compatible=niac-${board}`,
    `version=${version}`,
    `description=${description}`,
    "",
    "[bundle]",
    "format=verity",
    "",
    "[image.boot]",
    "filename=boot.vfat",
    "",
    "[image.root]",
    "filename=root.img",
    "",
  ].join("\n");
}
