/** The image's script for a stick that was plugged in: what it mounts, when, and what it leaves alone. Nothing here is mounted. */
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { until } from "../../support/processes.ts";

const ROOTFS = new URL("../../../image/rootfs", import.meta.url).pathname;
const SYSTEM = "/usr/sbin:/usr/bin:/sbin:/bin";

class Bed {
  readonly dir: string;

  constructor(t: ExecutionContext, settings: string | null) {
    this.dir = mkdtempSync(join(tmpdir(), "niac-usb-"));
    t.teardown(() => rmSync(this.dir, { recursive: true, force: true }));
    for (const folder of ["run", "lib/bin", "shims"]) mkdirSync(this.at(folder), { recursive: true });
    writeFileSync(this.at("env"), "NIAC_SLOT=A\nNIAC_DISK=/dev/mmcblk0\n");
    if (settings !== null) writeFileSync(this.at("niac.conf"), settings);
    writeFileSync(
      this.at("lib/await-control"),
      readFileSync(join(ROOTFS, "usr/lib/niac/await-control"), "utf8"),
    );
    this.#program("shims/mount", "mount");
    this.#program("lib/bin/node", "niac");
    // It sleeps between two looks, here until the test says that it may go on.
    const sleep = `touch ${this.at("sleeps")}; until [ -e ${this.at("awake")} ]; do /bin/sleep 0.05; done`;
    writeFileSync(this.at("shims/sleep"), `#!/bin/sh\n${sleep}\n`, { mode: 0o755 });
  }

  at(name: string): string {
    return join(this.dir, name);
  }

  /** What was started of what it starts, a line each. */
  get told(): string {
    return existsSync(this.at("told")) ? readFileSync(this.at("told"), "utf8") : "";
  }

  /** Control listens. */
  async listens(t: ExecutionContext): Promise<void> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(this.at("run/admin.sock"), resolve));
    t.teardown(() => server.close());
  }

  start(device: string, patience: number): ChildProcess {
    return spawn(join(ROOTFS, "usr/lib/niac/usb"), [device], {
      env: {
        PATH: `${this.at("shims")}:${SYSTEM}`,
        NIAC_LIB: this.at("lib"),
        NIAC_BOOT_ENV: this.at("env"),
        NIAC_SETTINGS: this.at("niac.conf"),
        NIAC_RUN_DIR: this.at("run"),
        NIAC_USB: this.at("sticks"),
        NIAC_PATIENCE: String(patience),
      },
    });
  }

  async run(device: string, patience = 0): Promise<{ readonly code: number | null; readonly out: string }> {
    const child = this.start(device, patience);
    let out = "";
    child.stdout?.setEncoding("utf8").on("data", (text: string) => (out += text));
    const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
    return { code, out };
  }

  #program(name: string, called: string): void {
    writeFileSync(this.at(name), `#!/bin/sh\necho "${called} $*" >>${this.at("told")}\n`, { mode: 0o755 });
  }
}

test("a stick is mounted as a FAT that nobody may run anything from, and handed to control", async (t) => {
  const bed = new Bed(t, "NIAC_ORIGIN=box-1\n");
  await bed.listens(t);
  t.is((await bed.run("sda1")).code, 0);
  const [mounted, handed] = bed.told.split("\n");
  t.regex(mounted ?? "", /^mount -t vfat -o ro,nosuid,nodev,noexec,\S+ \/dev\/sda1 .*\/sticks\/sda1$/);
  t.regex(handed ?? "", /^niac .* update stick .*\/sticks\/sda1$/);
});

test("in when the box starts, it waits until control listens", async (t) => {
  const bed = new Bed(t, "");
  const ran = bed.run("sda1", 60);
  await until(() => existsSync(bed.at("sleeps")), "it to have looked for control, in vain");
  t.is(bed.told, "", "control does not listen yet");
  await bed.listens(t);
  writeFileSync(bed.at("awake"), "");
  t.is((await ran).code, 0);
  t.regex(bed.told, /update stick/);
});

test("where control never comes, nothing is mounted, and that is said", async (t) => {
  const bed = new Bed(t, "");
  const { code, out } = await bed.run("sda1");
  t.is(code, 1);
  t.regex(out, /control does not run/);
  t.is(bed.told, "");
});

for (const [what, settings] of Object.entries({
  off: "NIAC_ORIGIN=box-1\nNIAC_UPDATE_USB=off\nNIAC_PANEL=x\n",
  "off in quotes": 'NIAC_UPDATE_USB="off"\n',
  "settings that cannot be read": null,
})) {
  test(`a stranger's file system is not mounted: ${what}`, async (t) => {
    const bed = new Bed(t, settings);
    await bed.listens(t);
    const { code, out } = await bed.run("sda1");
    t.is(code, settings === null ? 1 : 0);
    if (settings !== null) t.regex(out, /takes no updates from USB/);
    t.is(bed.told, "");
  });
}

test("the box's own disk is no stick", async (t) => {
  const bed = new Bed(t, "");
  await bed.listens(t);
  t.is((await bed.run("mmcblk0p1")).code, 0);
  t.is(bed.told, "");
});
