/** The image's script that takes settings from the boot partition, with niac's own check of them. */
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ExecutionContext } from "ava";
import { testWith } from "../../support/tools.ts";
import { PROGRAM } from "../../support/program.ts";

const LIB = new URL("../../../image/rootfs/usr/lib/niac", import.meta.url).pathname;
const SYSTEM = "/usr/sbin:/usr/bin:/sbin:/bin";
/** What the script starts between one state of the disk and the next. */
const STEPS = ["cat", "chmod", "sync", "mv", "rm", "mount", "flock", "sed"] as const;

const testScript = testWith("root", "unshare", "flock");

/** A box' files; its boot partition is a file system of its own, mounted read-only as there. */
class Box {
  readonly #dir: string;

  constructor(t: ExecutionContext, prepared: string, kept?: string) {
    this.#dir = mkdtempSync(join(tmpdir(), "niac-first-boot-"));
    t.teardown(() => rmSync(this.#dir, { recursive: true }));
    for (const folder of ["cfg", "disk", "data", "boot", "bin"]) mkdirSync(join(this.#dir, folder));
    writeFileSync(join(this.#dir, "disk/niac.conf"), prepared);
    if (kept !== undefined) writeFileSync(join(this.#dir, "data/niac.conf"), kept);
    this.#program("niac", `exec ${process.execPath} ${PROGRAM} "$@"`);
  }

  #program(name: string, text: string): void {
    const path = join(this.#dir, "bin", name);
    writeFileSync(path, `#!/bin/sh\n${text}\n`);
    chmodSync(path, 0o755);
  }

  /** Null: there is no such file. */
  read(name: string): string | null {
    const path = join(this.#dir, name);
    return existsSync(path) ? readFileSync(path, "utf8") : null;
  }

  /** The power goes as the script starts its `step`th program of STEPS. */
  cutAt(step: number): void {
    writeFileSync(join(this.#dir, "count"), "0");
    for (const name of STEPS) {
      const count = join(this.#dir, "count");
      const real = spawnSync("/bin/sh", ["-c", `PATH=${SYSTEM} command -v ${name}`], { encoding: "utf8" });
      this.#program(
        name,
        `read -r n <${count}; n=$((n + 1)); echo $n >${count}\n[ $n != ${step} ] || kill -9 0\nexec ${real.stdout.trim()} "$@"`,
      );
    }
  }

  /** Answers as niac would, so that the steps are what is tried, and not how fast Node starts. */
  answering(plain: string): void {
    this.#program("niac", `echo '${plain}'`);
  }

  uncut(): void {
    for (const name of STEPS) rmSync(join(this.#dir, "bin", name), { force: true });
  }

  /** Runs the script as a boot does. Afterwards `mounted` says whether the boot partition was writable, where the script got to its end. */
  boot(): { readonly code: number | null; readonly out: string; readonly mounted: string } {
    const at = (name: string): string => join(this.#dir, name);
    const script = `mount -t tmpfs tmpfs ${at("cfg")} && cp -a ${at("disk")}/. ${at("cfg")} && mount -o remount,ro ${at("cfg")} || exit 99
      NIAC_CFG=${at("cfg")} NIAC_DATA=${at("data")} NIAC_BOOT=${at("boot")} NIAC_LIB=${LIB} PATH=${at("bin")}:${SYSTEM} setsid --wait sh ${LIB}/first-boot
      code=$?
      findmnt -no FS-OPTIONS ${at("cfg")} | cut -d, -f1 >${at("mounted")}
      rm -rf ${at("disk")}; mkdir ${at("disk")}; cp -a ${at("cfg")}/. ${at("disk")}
      exit $code`;
    const run = spawnSync("unshare", ["--mount", "--propagation", "private", "/bin/sh", "-c", script], {
      encoding: "utf8",
      env: { PATH: SYSTEM },
      timeout: 120_000,
    });
    return { code: run.status, out: run.stdout + run.stderr, mounted: this.read("mounted")?.trim() ?? "" };
  }
}

testScript("settings from a desk take the place of the box's, and the card says so", async (t) => {
  const box = new Box(t, "\uFEFFNIAC_ORIGIN = press-hall-3\r\n# hall 3\r\n", "NIAC_ORIGIN=old\n");
  const { code, out, mounted } = box.boot();
  t.is(code, 0, out);
  t.is(box.read("data/niac.conf"), "NIAC_ORIGIN=press-hall-3\n");
  t.is(box.read("disk/niac.conf"), null);
  t.regex(box.read("disk/niac.conf.taken") ?? "", /press-hall-3/);
  t.is(box.read("boot/settings"), "taken\n");
  t.is(box.read("data/niac.conf.taken"), "", "to be recorded by whichever start has a control");
  t.is(mounted, "ro", "writable for a moment alone");
  t.is(box.boot().code, 0, "and a boot without a file does nothing");
  t.is(box.read("data/niac.conf"), "NIAC_ORIGIN=press-hall-3\n");
});

testScript("wrong settings change nothing, and the card says why, in lines for any editor", async (t) => {
  const box = new Box(t, "NIAC_ORIGIN=new\nNIAC_ORGIN=x\n", "NIAC_ORIGIN=old\n");
  const { code, out, mounted } = box.boot();
  t.is(code, 0, out);
  t.is(box.read("data/niac.conf"), "NIAC_ORIGIN=old\n");
  t.not(box.read("disk/niac.conf"), null);
  t.is(box.read("disk/niac.conf.error"), "line 2: NIAC_ORGIN is no setting of niac\r\n");
  t.is(box.read("boot/settings"), "refused\n");
  t.is(mounted, "ro");
});

testScript("UTF-16 is refused by its name", async (t) => {
  const box = new Box(t, "N\0I\0A\0C\0");
  box.boot();
  t.is(box.read("data/niac.conf"), null);
  t.regex(box.read("disk/niac.conf.error") ?? "", /UTF-16/);
});

testScript(
  "the power may go at any step: the settings are the old ones or the new ones, and the next boot takes them",
  async (t) => {
    let cuts = 0;
    for (let step = 1; ; step++) {
      const box = new Box(t, "NIAC_ORIGIN=new\n", "NIAC_ORIGIN=old\n");
      box.answering("NIAC_ORIGIN=new");
      box.cutAt(step);
      const cut = box.boot().code !== 0;
      t.true(
        ["NIAC_ORIGIN=old\n", "NIAC_ORIGIN=new\n"].includes(box.read("data/niac.conf") ?? ""),
        `step ${step}`,
      );
      if (box.read("data/niac.conf") === "NIAC_ORIGIN=new\n")
        t.not(box.read("data/niac.conf.taken"), null, `what is in force will be on record: step ${step}`);
      if (!cut) break;
      cuts++;
      box.uncut();
      t.is(box.boot().code, 0, `after a cut at step ${step}`);
      t.is(box.read("data/niac.conf"), "NIAC_ORIGIN=new\n");
      t.is(box.read("disk/niac.conf"), null);
      t.not(box.read("disk/niac.conf.taken"), null);
    }
    t.true(cuts >= 8, `${cuts} cuts`);
  },
);
