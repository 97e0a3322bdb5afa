/** A box at work, and the plant's update server with bundles of every kind. */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { makeBundle } from "../../../scripts/image.d/bundle.ts";
import { developmentKeys } from "../../../scripts/image.d/keys.ts";
import type { AuditRecord } from "../../../src/audit/index.ts";
import { SYSTEM_PATH } from "../namespaces.ts";
import { HOSTS, says } from "../plant.ts";
import type { Teardown } from "../processes.ts";
import { BoxBed, SETTINGS, type BedOptions } from "./bed.ts";
import { Bundles, LATER } from "./bundles.ts";
import type { Ran } from "./console.ts";

const SERVER = fileURLToPath(new URL("update-server.ts", import.meta.url));
const PORT = 8080;
const BASE = `http://${HOSTS.historian}:${PORT}/`;
/** Milliseconds: 220 MB, read, checked and written. */
export const INSTALL = 20 * 60_000;

export class UpdateBed {
  readonly bed: BoxBed;
  readonly bundles: Bundles;

  private constructor(bed: BoxBed, bundles: Bundles) {
    this.bed = bed;
    this.bundles = bundles;
  }

  static async start(t: Teardown, options: Pick<BedOptions, "parts"> = {}): Promise<UpdateBed> {
    const bundles = await Bundles.make(t);
    const settings = `${SETTINGS}NIAC_UPDATE_SERVER=${BASE}\n`;
    const bed = await BoxBed.start(t, { settings, ...options });
    const words = [SERVER, bundles.directory, HOSTS.historian, String(PORT)];
    await says(bed.plant.spawn("historian", process.execPath, words), "ready");
    return new UpdateBed(bed, bundles);
  }

  /** A bundle of this version, signed as the box wants it, which it refuses for its version: there is nothing in it. */
  async ofVersion(version: string): Promise<string> {
    const content = join(this.bundles.directory, "nothing");
    mkdirSync(content, { recursive: true });
    const [boot, root] = [join(content, "boot.vfat"), join(content, "root.img")];
    for (const file of [boot, root]) writeFileSync(file, randomBytes(65_536));
    const name = `version-${version}.raucb`;
    await makeBundle({
      board: "qemu-arm64",
      version,
      description: name,
      boot,
      root,
      keys: await developmentKeys(join(LATER, "../keys")),
      file: join(this.bundles.directory, name),
    });
    return name;
  }

  /** A stick, a FAT without partitions, with these bundles at its top. Returns its file. */
  stick(...bundles: string[]): string {
    const file = join(this.bundles.directory, "stick.img");
    rmSync(file, { force: true });
    const options = {
      env: { PATH: SYSTEM_PATH, MTOOLS_SKIP_CHECK: "1", LC_ALL: "C" },
      stdio: "ignore",
    } as const;
    // 32 MiB.
    execFileSync("mkfs.vfat", ["-C", file, "32768"], options);
    const from = bundles.map((name) => join(this.bundles.directory, name));
    execFileSync("mcopy", ["-i", file, ...from, "::"], options);
    return file;
  }

  /** `niac update install` at the console, to its end. */
  async install(bundle: string, ...words: string[]): Promise<Ran> {
    const shell = await this.bed.box.shell();
    return shell.run(`niac update install ${BASE}${bundle} ${words.join(" ")}`, INSTALL);
  }

  /** What is on record of updates, oldest first. */
  async updates(): Promise<AuditRecord[]> {
    const records = await this.bed.records("kind=box");
    return records.filter(({ detail }) => String(detail?.["action"]).startsWith("update-"));
  }

  async actions(): Promise<string[]> {
    return (await this.updates()).map(({ detail }) => String(detail?.["action"]));
  }

  /** The slot that runs, by the box itself. */
  slot(): Promise<string> {
    return this.bed.box.out("sed -n 's/^NIAC_SLOT=//p' /run/niac-boot/env");
  }
}
