/**
 * RAUC itself, as a service on a bus of its own, with the image's configuration and bootloader script: what control asks of it by busctl.
 * Debian 12's RAUC (1.8) cannot say what a bundle is over the bus, and its kernels may have no dm-verity: bundles are test/image's.
 */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ExecutionContext } from "ava";
import { developmentKeys } from "../../../scripts/image.d/keys.ts";
import { systemRauc, type Rauc } from "../../../src/appliance/index.ts";
import { UnavailableError } from "../../../src/base/index.ts";
import { end, until } from "../../support/processes.ts";
import { testWith } from "../../support/tools.ts";

const ROOTFS = new URL("../../../image/rootfs", import.meta.url).pathname;
const testRauc = testWith("root", "rauc", "dbus-daemon", "busctl", "openssl");

interface Bed {
  readonly dir: string;
  readonly rauc: Rauc;
  readonly start: () => Promise<void>;
  readonly told: () => string;
}

async function bed(t: ExecutionContext): Promise<Bed> {
  const dir = mkdtempSync(join(tmpdir(), "niac-rauc-"));
  t.teardown(() => rmSync(dir, { recursive: true }));
  const at = (name: string): string => join(dir, name);
  for (const name of ["cfg", "boot", "data", "lib", "mnt"]) mkdirSync(at(name));
  const { keyring } = await developmentKeys(at("keys"));
  writeFileSync(
    at("cfg/autoboot.txt"),
    "[all]\ntryboot_a_b=1\nboot_partition=2\n[tryboot]\nboot_partition=3\n",
  );
  writeFileSync(at("boot/env"), `NIAC_SLOT=A\nNIAC_TRYBOOT=0\nNIAC_DISK=${at("card")}\n`);
  writeFileSync(at("card"), Buffer.alloc(2 ** 20));
  writeFileSync(at("firmware"), "");
  for (const name of ["tryboot", "floor-of", "starts", "rauc-backend", "rauc-check"]) {
    writeFileSync(at(`lib/${name}`), readFileSync(join(ROOTFS, "usr/lib/niac", name), "utf8"));
    chmodSync(at(`lib/${name}`), 0o755);
  }
  writeFileSync(at("lib/floor"), "0.1.0\n");
  for (const name of ["root_a", "root_b", "boot_a", "boot_b"]) {
    writeFileSync(at(name), "");
    truncateSync(at(name), 1_048_576);
  }
  const settings = readFileSync(join(ROOTFS, "etc/rauc/system.conf"), "utf8")
    .replace("@BOARD@", "rpi4")
    .replaceAll("/dev/niac/", `${dir}/`)
    .replaceAll("/usr/lib/niac/", `${dir}/lib/`)
    .replace("/etc/rauc/keyring.pem", keyring)
    // Newer than 1.8, which calls the same by its file.
    .replace("data-directory=/data/rauc", `statusfile=${dir}/data/central.raucs`);
  writeFileSync(at("system.conf"), settings);
  writeFileSync(
    at("bus.conf"),
    `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path=${dir}/bus</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*"/><allow own="*"/><allow receive_sender="*"/></policy></busconfig>`,
  );
  const address = `unix:path=${dir}/bus`;
  const keep = (child: ChildProcess): ChildProcess => {
    t.teardown(() => end(child));
    return child;
  };
  keep(spawn("dbus-daemon", [`--config-file=${at("bus.conf")}`, "--nofork"], { stdio: "ignore" }));
  const environment = {
    PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
    DBUS_SYSTEM_BUS_ADDRESS: address,
    NIAC_CFG: at("cfg"),
    NIAC_BOOT_ENV: at("boot/env"),
    NIAC_RAUC_DATA: at("data"),
    NIAC_LIB: at("lib"),
    NIAC_FIRMWARE_PORT: at("firmware"),
  };
  const listed = (name: string): boolean =>
    spawnSync("busctl", ["--system", "list"], { env: environment, encoding: "utf8" }).stdout.includes(name);
  await until(() => listed("org.freedesktop.DBus"), "the bus answers");
  return {
    dir,
    rauc: systemRauc(address),
    async start() {
      const words = [
        `--conf=${at("system.conf")}`,
        "--override-boot-slot=A",
        `--mount=${at("mnt")}`,
        "service",
      ];
      keep(spawn("rauc", words, { env: environment, stdio: "ignore" }));
      await until(() => listed("de.pengutronix.rauc"), "RAUC is on the bus");
    },
    told: () => readFileSync(at("firmware"), "utf8"),
  };
}

testRauc(
  "RAUC takes the image's configuration: slots with their children, the default by the script",
  async (t) => {
    const { rauc, start } = await bed(t);
    await start();
    t.is(await rauc.primary(), "A");
    t.deepEqual(
      (await rauc.slots())
        .map(({ name, slot, parent, transaction }) => [name, slot, parent, transaction])
        .toSorted((a, b) => String(a[0]).localeCompare(String(b[0]))),
      [
        ["boot.0", null, "root.0", null],
        ["boot.1", null, "root.1", null],
        ["root.0", "A", null, null],
        ["root.1", "B", null, null],
      ],
    );
    t.like(await rauc.progress(), { busy: false, error: "" });
  },
);

testRauc("marks reach the firmware: the other slot is tried, or not; what runs is good", async (t) => {
  const { rauc, start, told } = await bed(t);
  await start();
  await rauc.mark("active", "other");
  t.is(told(), "tryboot\n");
  await rauc.mark("bad", "other");
  t.is(told(), "clear\n");
  await rauc.mark("good", "booted");
  t.is(await rauc.primary(), "A");
});

testRauc("what the bootloader's script refuses, RAUC refuses, and so is it told", async (t) => {
  const { dir, rauc, start } = await bed(t);
  await start();
  writeFileSync(join(dir, "cfg/autoboot.txt"), "");
  const error = await t.throwsAsync(rauc.mark("active", "other"), {
    instanceOf: UnavailableError,
    code: "rauc-refused",
  });
  t.regex(error.message, /failed to activate slot root\.1/);
  await t.throwsAsync(rauc.primary(), { code: "rauc-refused" });
});

testRauc("an installation that cannot be begins, and says why it ended", async (t) => {
  const { dir, rauc, start } = await bed(t);
  await start();
  // 1.8 knows no transactions and no hash that is required, and answers so.
  const transaction = "11111111-2222-4333-8444-555555555555";
  await t.throwsAsync(rauc.install(join(dir, "none.raucb"), null, transaction, "ab".repeat(32)), {
    code: "rauc-refused",
  });
  t.like(await rauc.progress(), { busy: false });
});

testRauc("without RAUC on the bus, and without a bus: away, in words", async (t) => {
  const { rauc, dir } = await bed(t);
  await t.throwsAsync(rauc.progress(), {
    instanceOf: UnavailableError,
    code: "rauc-away",
    message: /does not answer/,
  });
  await t.throwsAsync(rauc.inspect("/x", null), { code: "rauc-away" });
  await t.throwsAsync(systemRauc(`unix:path=${dir}/none`).primary(), { code: "rauc-away" });
});
