/** Updates for the box of the tests: a release later than the one in it, and what must be refused. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { makeBundle } from "../../../scripts/image.d/bundle.ts";
import { developmentKeys, type SigningKeys } from "../../../scripts/image.d/keys.ts";
import { SYSTEM_PATH } from "../namespaces.ts";
import type { Teardown } from "../processes.ts";

const BASE = fileURLToPath(new URL("../../../build/image/", import.meta.url));
const HEALTH = fileURLToPath(
  new URL("../../../image/rootfs/usr/lib/systemd/system/niac-health.service", import.meta.url),
);
/** Seconds that the unhealthy image gives itself, long enough for all but what it lacks. */
export const UNHEALTHY_PATIENCE = 150;
/** What `scripts/image --release 0.99.0 --out build/image/later` made, called by scripts/test --image. */
export const LATER = join(BASE, "later");
const BOARD = "qemu-arm64";

const facts = z.looseObject({ version: z.string() });

export class Bundles {
  /** Their files. */
  readonly directory: string;
  readonly #keys: SigningKeys;

  private constructor(directory: string, keys: SigningKeys) {
    this.directory = directory;
    this.#keys = keys;
  }

  static async make(t: Teardown): Promise<Bundles> {
    if (!existsSync(join(LATER, "manifest.json"))) {
      throw new Error(
        `there is no later release: scripts/image --board ${BOARD} --fast --release 0.99.0 --out build/image/later`,
      );
    }
    // Beside what it is made of: bundles link to that.
    const directory = mkdtempSync(join(BASE, "bundles-"));
    t.teardown(() => rmSync(directory, { recursive: true, force: true }));
    return new Bundles(directory, await developmentKeys(join(BASE, "keys")));
  }

  get laterVersion(): string {
    return facts.parse(JSON.parse(readFileSync(join(LATER, "root.json"), "utf8"))).version;
  }

  /** As it was built. Returns the name of the file, as the following do. */
  later(): string {
    copyFileSync(join(LATER, `niac-${BOARD}.raucb`), join(this.directory, "later.raucb"));
    return "later.raucb";
  }

  /** The same, cut off after two thirds. */
  truncated(): string {
    this.later();
    const file = join(this.directory, "truncated.raucb");
    copyFileSync(join(this.directory, "later.raucb"), file);
    truncateSync(file, Math.floor((statSync(file).size * 2) / 3));
    return "truncated.raucb";
  }

  /** The same content, with a gateway that never starts, and less patience: both on the kernel's command line, for the root is what was signed. */
  async unhealthy(): Promise<string> {
    const boot = join(this.directory, "boot-unhealthy.vfat");
    copyFileSync(join(LATER, "boot.vfat"), boot);
    const options = { env: { PATH: SYSTEM_PATH, MTOOLS_SKIP_CHECK: "1" } };
    const line = execFileSync("mtype", ["-i", boot, "::cmdline.txt"], {
      ...options,
      encoding: "utf8",
    }).trim();
    execFileSync("mcopy", ["-o", "-i", boot, "-", "::cmdline.txt"], {
      ...options,
      input: `${line} systemd.mask=niac-gateway.service ${lessPatience()}\n`,
    });
    return this.#bundle("unhealthy", { boot, root: join(LATER, "root.img") });
  }

  /** Signed by somebody else's authority. */
  async foreign(): Promise<string> {
    return this.#bundle("foreign", { keys: await developmentKeys(join(this.directory, "foreign-keys")) });
  }

  /** Of another board. */
  otherBoard(): Promise<string> {
    return this.#bundle("other-board", { board: "rpi4" });
  }

  older(): Promise<string> {
    return this.#bundle("older", { version: "0.0.1" });
  }

  /** What is refused before anything of it is read needs no content. */
  async #bundle(
    name: string,
    given: {
      readonly boot?: string;
      readonly root?: string;
      readonly keys?: SigningKeys;
      readonly board?: string;
      readonly version?: string;
    },
  ): Promise<string> {
    const few = join(this.directory, "few");
    mkdirSync(few, { recursive: true });
    for (const file of ["boot.vfat", "root.img"]) writeFileSync(join(few, file), randomBytes(65_536));
    await makeBundle({
      board: given.board ?? BOARD,
      version: given.version ?? this.laterVersion,
      description: name,
      boot: given.boot ?? join(few, "boot.vfat"),
      root: given.root ?? join(few, "root.img"),
      keys: given.keys ?? this.#keys,
      file: join(this.directory, `${name}.raucb`),
    });
    return `${name}.raucb`;
  }
}

/** systemd's credential for a drop-in of the unit that judges a trial (systemd.system-credentials(7), systemd.unit-dropin). */
function lessPatience(): string {
  const command = /^ExecStart=.*--patience \d+.*$/m.exec(readFileSync(HEALTH, "utf8"))?.[0];
  if (command === undefined) throw new Error(`${HEALTH} names no patience`);
  const less = command.replace(/--patience \d+/, `--patience ${UNHEALTHY_PATIENCE}`);
  const text = Buffer.from(`[Service]\nExecStart=\n${less}\n`).toString("base64");
  return `systemd.set_credential_binary=systemd.unit-dropin.niac-health.service~less:${text}`;
}
