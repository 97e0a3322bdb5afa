/**
 * The module for the firmware's one-shot flag, built as for the image and run in QEMU's Raspberry Pi 3, whose firmware mailbox says in QEMU's log
 * what it was asked; and on QEMU's machine without such firmware. What the kernel is taken from is left by scripts/image.
 */
import { spawn } from "node:child_process";
import {
  chmodSync,
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test, { type ExecutionContext } from "ava";
import { z } from "zod";
import { debSchema } from "../../scripts/image.d/debs.ts";
import { mirrorOf } from "../../scripts/image.d/mirror.ts";
import { treeOf } from "../../scripts/image.d/packages.ts";
import { Shared, sharedFolder } from "../../scripts/image.d/shared.ts";
import { run } from "../../scripts/image.d/tools.ts";
import { buildTryboot, kernelOf } from "../../scripts/image.d/tryboot.ts";
import { end, over, until } from "../support/processes.ts";
import { testWith } from "../support/tools.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const cache = join(root, "build/image/cache");
const PATIENCE = 900_000;
const SET_REBOOT_FLAGS = "bcm2835_property: unhandled tag 0x00038064";

interface Built {
  /** The kernel's folder in Debian's packages. */
  readonly modules: string;
  readonly busybox: string;
  readonly release: string;
  readonly module: string;
  readonly scratch: string;
}

// The board of the tests first: any board's kernel will do.
const manifest = globSync(join(root, "build/image/*/manifest.json"))
  .toSorted()
  .toSorted((a, b) => Number(b.includes("qemu-arm64")) - Number(a.includes("qemu-arm64")))[0];
const testBuilt =
  manifest === undefined
    ? (title: string): void => test.skip(`${title} (no image was built here: scripts/image)`, (t) => t.fail())
    : testWith("root", "mmdebstrap", "qemu-system-aarch64", "cpio", "modinfo", "readelf");

const manifestSchema = z.object({ debs: z.array(debSchema) });

let building: Promise<unknown> | undefined;

async function build(t: ExecutionContext): Promise<Built> {
  t.timeout(PATIENCE);
  const { debs } = manifestSchema.parse(JSON.parse(readFileSync(manifest ?? "", "utf8")));
  const kernel = kernelOf(debs);
  const modules = join(treeOf(cache, debs), "usr/lib/modules", kernel.release);
  const scratch = mkdtempSync(join(tmpdir(), "niac-tryboot-"));
  t.teardown(() => rmSync(scratch, { recursive: true }));
  const module = join(scratch, "niac_tryboot.ko");
  const make = (outFile: string): Promise<unknown> =>
    buildTryboot({
      source: join(root, "image/tryboot"),
      ...kernel,
      mirror: mirrorOf(process.env),
      cache,
      shared: new Shared(sharedFolder(process.env, root), (text) => t.log(text)),
      outFile,
      progress: (line) => t.log(line),
    });
  // The first makes it, the others have it from the cache.
  await (building ??= make(module));
  await make(module);
  return {
    modules,
    busybox: join(modules, "../../../bin/busybox"),
    release: kernel.release,
    module,
    scratch,
  };
}

/** Boots a kernel whose only program is the script, and gives everything it and QEMU said until it restarts. */
async function boot(
  t: ExecutionContext,
  built: Built,
  machine: readonly string[],
  console: string,
  script: string,
): Promise<string> {
  const tree = join(built.scratch, "tree");
  for (const folder of ["bin", "dev", "proc", "sys"]) mkdirSync(join(tree, folder), { recursive: true });
  cpSync(built.busybox, join(tree, "bin/busybox"));
  cpSync(built.module, join(tree, "niac_tryboot.ko"));
  writeFileSync(
    join(tree, "init"),
    [
      "#!/bin/busybox sh",
      "busybox mount -t proc proc /proc; busybox mount -t sysfs sys /sys; busybox mount -t devtmpfs dev /dev",
      "exec >/dev/kmsg 2>&1",
      script,
      "busybox reboot -f",
    ].join("\n"),
  );
  chmodSync(join(tree, "init"), 0o755);
  const initramfs = join(built.scratch, "initramfs");
  const names = ["bin", "bin/busybox", "dev", "proc", "sys", "init", "niac_tryboot.ko"];
  await run("cpio", ["--create", "--format=newc", "--quiet", "-F", initramfs], {
    cwd: tree,
    input: names.join("\n"),
  });
  const kernel = ["-kernel", join(built.modules, "vmlinuz"), "-initrd", initramfs];
  const line = `${console} keep_bootcon loglevel=7 panic=5 printk.devkmsg=on`;
  const fixed = ["-display", "none", "-serial", "stdio", "-monitor", "none", "-no-reboot", "-d", "unimp"];
  const qemu = spawn("qemu-system-aarch64", [...machine, ...kernel, "-append", line, ...fixed], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  t.teardown(() => end(qemu, "SIGKILL"));
  let said = "";
  for (const stream of [qemu.stdout, qemu.stderr])
    stream.setEncoding("latin1").on("data", (text: string) => (said += text));
  await until(() => said.includes("reboot: Restarting system") || over(qemu), "the restart", PATIENCE);
  await end(qemu, "SIGKILL");
  return said;
}

testBuilt(
  "the module is for this kernel, under its licence, and asks for nothing that the kernel does not export",
  async (t) => {
    const { module, release } = await build(t);
    const about = await run("modinfo", [module]);
    t.regex(
      about,
      new RegExp(`^vermagic: +${release.replaceAll("+", "\\+")} SMP preempt mod_unload aarch64$`, "m"),
    );
    t.regex(about, /^license: +GPL$/m);
    t.regex(about, /^depends: *$/m);
    const wanted = [...(await run("readelf", ["-Ws", module])).matchAll(/ UND (\S+)/g)].map(
      ([, name = ""]) => name,
    );
    const [symvers = ""] = globSync(
      join(cache, "kbuild-tree-*/usr/src", `linux-headers-${release}`, "Module.symvers"),
    );
    const exported = new Set(
      readFileSync(symvers, "utf8")
        .split("\n")
        .map((line) => line.split("\t")[1]),
    );
    t.true(wanted.includes("rpi_firmware_property"));
    t.deepEqual(
      wanted.filter((name) => !exported.has(name)),
      [],
    );
  },
);

testBuilt(
  "armed, it sets the flag in the restart; loading arms nothing, and it cannot be unloaded",
  async (t) => {
    const built = await build(t);
    const said = await boot(
      t,
      built,
      ["-M", "raspi3b", "-dtb", join(built.modules, "dtb/broadcom/bcm2837-rpi-3-b.dtb")],
      "earlycon=pl011,mmio32,0x3f201000",
      [
        "armed=/sys/module/niac_tryboot/parameters/armed",
        "busybox insmod /niac_tryboot.ko armed=1; echo SAID: armed by loading $?",
        "busybox insmod /niac_tryboot.ko; echo SAID: loaded $? $(busybox cat $armed)",
        "echo perhaps > $armed; echo SAID: perhaps $? $(busybox cat $armed)",
        "echo 1 > $armed; echo SAID: one $? $(busybox cat $armed)",
        "echo 0 > $armed; echo SAID: none $? $(busybox cat $armed)",
        "echo 1 > $armed; busybox rmmod niac_tryboot; echo SAID: unloaded $? $(busybox cat $armed)",
      ].join("\n"),
    );
    const lines = [...said.matchAll(/SAID: ([^\r\n]*)/g)].map(([, line]) => line);
    t.deepEqual(lines, [
      "armed by loading 1",
      "loaded 0 N",
      "perhaps 1 N",
      "one 0 Y",
      "none 0 N",
      "unloaded 1 Y",
    ]);
    t.true(said.includes("niac_tryboot: the tryboot flag is set"));
    // Written as none when it is armed or disarmed, three times, and as tryboot once, in the restart.
    t.is(said.split(SET_REBOOT_FLAGS).length - 1, 4);
  },
);

testBuilt("not armed, a restart is a restart", async (t) => {
  const built = await build(t);
  const said = await boot(
    t,
    built,
    ["-M", "raspi3b", "-dtb", join(built.modules, "dtb/broadcom/bcm2837-rpi-3-b.dtb")],
    "earlycon=pl011,mmio32,0x3f201000",
    "busybox insmod /niac_tryboot.ko; echo SAID: loaded $?",
  );
  t.true(said.includes("SAID: loaded 0"));
  t.true(said.includes("reboot: Restarting system"));
  t.false(said.includes(SET_REBOOT_FLAGS));
});

testBuilt("a machine without the firmware does not take it", async (t) => {
  const said = await boot(
    t,
    await build(t),
    ["-M", "virt", "-cpu", "cortex-a72", "-m", "512", "-nic", "none"],
    "console=ttyAMA0",
    "busybox insmod /niac_tryboot.ko; echo SAID: loaded $?",
  );
  t.regex(said, /insmod: can't insert '\/niac_tryboot\.ko': No such device/);
  t.false(said.includes("SAID: loaded 0"));
});
