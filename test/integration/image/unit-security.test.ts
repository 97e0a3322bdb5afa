/** The image's units as systemd's own tools judge them, offline: nothing here runs. */
import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { ExecutionContext } from "ava";
import { z } from "zod";
import { INNER } from "../../../src/base/index.ts";
import { testWith } from "../../support/tools.ts";

const ROOTFS = new URL("../../../image/rootfs", import.meta.url).pathname;
const UNITS = "usr/lib/systemd/system";
/** Where Debian has its units, which niac's name. */
const DEBIAN = "/usr/lib/systemd/system";

const testSystemd = testWith("systemd-analyze", "systemd-sysusers");

/** A root with the image's units and Debian's, and a file in the place of each program that niac's start. */
function rootWithUnits(t: ExecutionContext): string {
  const root = mkdtempSync(join(tmpdir(), "niac-units-"));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  cpSync(DEBIAN, join(root, UNITS), { recursive: true, verbatimSymlinks: true });
  cpSync(ROOTFS, root, { recursive: true, force: true });
  const data = join(root, UNITS, "niac-data.service");
  if (!existsSync(data)) writeFileSync(data, "[Service]\nType=oneshot\nExecStart=/usr/bin/true\n");
  for (const name of ["bin", "sbin", "lib"]) symlinkSync(`usr/${name}`, join(root, name));
  for (const unit of niacUnits()) {
    for (const [, program = ""] of readFileSync(join(ROOTFS, UNITS, unit), "utf8").matchAll(
      /^Exec\w+=[-+!@:]*(\/\S+)/gm,
    )) {
      const place = join(root, program);
      if (existsSync(place)) continue;
      mkdirSync(dirname(place), { recursive: true });
      writeFileSync(place, "#!/bin/sh\n", { mode: 0o755 });
    }
  }
  return root;
}

function niacUnits(): string[] {
  return readdirSync(join(ROOTFS, UNITS)).filter((name) =>
    /^niac.*\.(service|socket|target|timer|path|mount)$/.test(name),
  );
}

function analyze(...args: string[]): {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
} {
  const { status, stdout, stderr } = spawnSync("systemd-analyze", args, {
    encoding: "utf8",
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" },
  });
  return { code: status, out: stdout, err: stderr };
}

testSystemd("systemd finds nothing wrong with any unit", (t) => {
  const root = rootWithUnits(t);
  // A template is looked at through one of its instances.
  const units = niacUnits().map((name) => name.replace("@.", "@niac-control."));
  t.true(units.length > 10);
  const { code, out, err } = analyze("verify", "--man=no", `--root=${root}`, ...units);
  // RestartMode= is of systemd 254: the image has it, the computer that tests may be older.
  const said = (out + err).split("\n").filter((line) => line !== "" && !line.includes("'RestartMode'"));
  t.deepEqual({ code, said }, { code: 0, said: [] });
  return Promise.resolve();
});

const rowsSchema = z.array(z.looseObject({ name: z.string(), set: z.boolean().nullable() }));

/** Exposure as systemd adds it up, 0 to 10, and what each is left with. */
const MOST: Readonly<Record<string, number>> = {
  "niac-gateway": 1.5,
  "niac-control": 2,
  "niac-netd": 2,
  "niac-clock-set": 1.7,
  "niac-time": 2,
  "niac-time-servers": 1,
  "niac-time-told": 1,
};

testSystemd(
  "the cages of niac's processes, and of what sets the clock, are as tight as they are said to be",
  (t) => {
    const root = rootWithUnits(t);
    for (const [name, most] of Object.entries(MOST)) {
      const unit = `${name}.service`;
      const { out } = analyze("security", "--offline=true", "--no-pager", `--root=${root}`, unit);
      const exposure = Number(/Overall exposure level for \S+: ([\d.]+)/.exec(out)?.[1] ?? NaN);
      const rows = rowsSchema.parse(
        JSON.parse(analyze("security", "--offline=true", "--json=short", `--root=${root}`, unit).out),
      );
      const open = rows.filter(({ set }) => set === false).map((row) => row.name);
      t.log(`${unit} ${exposure}: ${open.join(", ")}`);
      t.true(exposure <= most, `${unit}: ${exposure}, more than ${most}\n${out}`);
    }
    return Promise.resolve();
  },
);

testSystemd(
  "the sockets that the gateway is handed are those that the ruleset sends to, by the names it knows",
  (t) => {
    for (const name of ["captured", "plain", "outbound"] as const) {
      const text = readFileSync(join(ROOTFS, UNITS, `niac-${name}.socket`), "utf8");
      for (const line of [
        `ListenStream=0.0.0.0:${INNER[name]}`,
        "Transparent=yes",
        `FileDescriptorName=${name}`,
        "Service=niac-gateway.service",
      ])
        t.true(text.split("\n").includes(line), `niac-${name}.socket: ${line}`);
    }
    return Promise.resolve();
  },
);

testSystemd(
  "users have the numbers that files on the data partition belong to, and the groups that their sockets need",
  (t) => {
    const root = mkdtempSync(join(tmpdir(), "niac-users-"));
    t.teardown(() => rmSync(root, { recursive: true, force: true }));
    mkdirSync(join(root, "etc"));
    cpSync(join(ROOTFS, "usr/lib/sysusers.d"), join(root, "usr/lib/sysusers.d"), { recursive: true });
    const made = spawnSync("systemd-sysusers", [`--root=${root}`], { encoding: "utf8" });
    t.is(made.status, 0, made.stderr);
    const lines = (file: string): string[][] =>
      readFileSync(join(root, "etc", file), "utf8")
        .trim()
        .split("\n")
        .map((line) => line.split(":"));
    const users = new Map(
      lines("passwd").map(([name, , uid, gid, , , shell]) => [name, { uid, gid, shell }]),
    );
    const shell = "/usr/sbin/nologin";
    t.deepEqual(users.get("niac-control"), { uid: "951", gid: "951", shell });
    t.deepEqual(users.get("niac-netd"), { uid: "952", gid: "952", shell });
    t.deepEqual(users.get("niac-gateway"), { uid: "953", gid: "953", shell });
    t.deepEqual(users.get("_chrony"), { uid: "956", gid: "956", shell });
    const members = new Map(lines("group").map(([name, , , list]) => [name, list]));
    t.is(members.get("niac"), "niac-control,niac-netd");
    t.is(members.get("niac-gateway"), "niac-control");
    for (const group of ["niac-control", "niac-netd"]) t.is(members.get(group), "", group);
    return Promise.resolve();
  },
);
