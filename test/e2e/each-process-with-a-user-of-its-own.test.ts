import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { INNER } from "../../src/base/index.ts";
import { HOSTS, Plant } from "../support/plant.ts";
import { mbpollFrom, PlantMachine, stunnelOn } from "../support/plant-modbus.ts";
import { plantSite } from "../support/plant-sites.ts";
import { testWith } from "../support/tools.ts";

/** Users that Debian has, as the image has niac-control, niac-netd and niac-gateway, and a group of those who make sockets. */
const CONTROL = 2;
const NETD = 3;
const GATEWAY = 65_534;
const MAKERS = 60;
const FORWARDED = 4000;

const CHANGES = ["remove", "move", "chmod"];

/** Capabilities by their bits (capability.h). */
const BIND = 1n << 10n;
const NETWORK = BIND | (1n << 12n) | (1n << 13n);

testWith(
  "root",
  "setpriv",
  "stunnel4",
  "mbpoll",
  "pymodbus",
)(
  "no process is root: each has a user of its own, no capability that it does not need, and no way to another's socket",
  async (t) => {
    const around = mkdtempSync(join(tmpdir(), "niac-run-"));
    t.teardown(() => rmSync(around, { recursive: true, force: true }));
    chmodSync(around, 0o755);
    // As image/rootfs/usr/lib/tmpfiles.d/niac.conf has it.
    const run = join(around, "niac");
    mkdirSync(run);
    chownSync(run, 0, MAKERS);
    chmodSync(run, 0o3771);

    const plant = Plant.create(t);
    const { captured, plain, outbound } = INNER;
    const script = new URL("../support/handed_on.py", import.meta.url).pathname;
    const box = await plant.startBox(null, {
      parts: [],
      environment: { NIAC_GATEWAY_USER: "nobody", NIAC_RUN_DIR: run },
      through: {
        control: as(CONTROL, [MAKERS, GATEWAY], "net_bind_service"),
        netd: as(NETD, [MAKERS], "net_admin", "net_raw", "net_bind_service"),
        gateway: [
          "/usr/bin/python3",
          script,
          `outbound:${outbound}`,
          `captured:${captured}`,
          `plain:${plain}`,
          "--",
          ...as(GATEWAY, []),
        ],
      },
    });
    execFileSync("chown", ["-R", `${CONTROL}:${CONTROL}`, box.dir, box.pki.dir]);
    const pids = {
      control: box.launch("control").pid,
      netd: box.launch("netd").pid,
      gateway: box.launch("gateway").pid,
    };
    await box.logged("gateway is ready");
    await plant.apply(
      plantSite(plant, {
        network: `nameServers: [${HOSTS.historian}]`,
        more: `
destinations:
  - { name: mixer, reason: The panel shows the mixer, machines: [hmi], how: inspect, host: ${HOSTS.scada}, ports: [502], modbus: { functions: readOnly, read: { holdingRegisters: all } } }
  - { name: historian, reason: Values of the shift, machines: [hmi], how: forward, host: ${HOSTS.historian}, ports: [${FORWARDED}] }`,
      }),
    );

    for (const [name, user, capabilities] of [
      ["control", CONTROL, BIND],
      ["netd", NETD, NETWORK],
      ["gateway", GATEWAY, 0n],
    ] as const) {
      const status = readFileSync(`/proc/${pids[name]}/status`, "utf8");
      const field = (key: string): string =>
        new RegExp(`^${key}:[ \\t]*(.*?)[ \\t]*$`, "m").exec(status)?.[1] ?? "missing";
      t.deepEqual(new Set(field("Uid").split(/\s+/)), new Set([String(user)]), name);
      for (const set of ["CapPrm", "CapEff", "CapBnd"])
        t.is(BigInt(`0x${field(set)}`), capabilities, `${name}: ${set}`);
      t.is(field("NoNewPrivs"), "1", name);
    }

    const made = (name: string): object => {
      const { uid, gid, mode } = statSync(join(run, name));
      return { uid, gid, mode: (mode & 0o7777).toString(8) };
    };
    t.deepEqual(made("."), { uid: 0, gid: MAKERS, mode: "3771" });
    t.deepEqual(made("gateway.sock"), { uid: CONTROL, gid: GATEWAY, mode: "660" });
    t.deepEqual(made("admin.sock"), { uid: CONTROL, gid: MAKERS, mode: "600" });
    t.deepEqual(made("netd.sock"), { uid: NETD, gid: MAKERS, mode: "660" });

    const attempts: [
      who: string,
      through: readonly string[],
      what: readonly string[],
      names: readonly string[],
    ][] = [
      ["gateway", as(GATEWAY, []), ["open"], ["admin.sock", "netd.sock"]],
      ["gateway", as(GATEWAY, []), CHANGES, ["admin.sock", "gateway.sock", "netd.sock"]],
      ["gateway", as(GATEWAY, []), ["make", "list"], ["new.sock"]],
      ["netd", as(NETD, [MAKERS]), ["open", ...CHANGES], ["admin.sock", "gateway.sock"]],
      ["control", as(CONTROL, [MAKERS, GATEWAY]), CHANGES, ["netd.sock"]],
    ];
    for (const [who, through, whats, names] of attempts)
      for (const what of whats)
        for (const name of names)
          t.regex(attempt(through, what, run, name), /^(EACCES|EPERM)$/, `${who}: ${what} ${name}`);
    t.is(attempt(as(GATEWAY, []), "open", run, "gateway.sock"), "done", "its own it may open");
    t.deepEqual(
      readdirSync(run)
        .filter((name) => name.endsWith(".sock"))
        .toSorted(),
      ["admin.sock", "gateway.sock", "netd.sock"],
    );

    await PlantMachine.start(plant, "press");
    await PlantMachine.start(plant, "scada");
    await plant.echo("historian", FORWARDED);
    const credential = box.root.client({ cn: "alice", ou: ["maintenance"] });
    const port = await stunnelOn(plant, "laptop", { credential, to: `${HOSTS.press}:802` });
    t.is(await mbpollFrom(plant, "laptop", "127.0.0.1", { port, register: 40 }), "40", "captured");
    t.is(await mbpollFrom(plant, "laptop", "127.0.0.1", { port, register: 40, write: 7 }), "written");
    t.is(await mbpollFrom(plant, "hmi", HOSTS.scada, { register: 41 }), "41", "outbound");
    t.is(await plant.ask("hmi", HOSTS.historian, FORWARDED), `historian ${HOSTS.hmi} hello`, "forwarded");
    t.is(await plant.dial("hmi", HOSTS.historian, 22), "reset", "refused, and answered by netd");

    // Each finds the file that it left behind, and takes its place.
    const seen = box.log.length;
    for (const part of ["netd", "control"] as const) {
      await box.end(part, "SIGKILL");
      await box.run(part);
    }
    await box.attached(seen);
    t.is(await mbpollFrom(plant, "laptop", "127.0.0.1", { port, register: 42 }), "42", "as before");
  },
);

/** Runs what follows as a user, in these groups, with these capabilities and with no way to more. */
function as(user: number, groups: readonly number[], ...capabilities: string[]): string[] {
  const set = ["-all", ...capabilities.map((name) => `+${name}`)].join(",");
  return [
    "/usr/bin/setpriv",
    `--reuid=${user}`,
    `--regid=${user}`,
    groups.length === 0 ? "--clear-groups" : `--groups=${groups.join(",")}`,
    `--bounding-set=${set}`,
    `--inh-caps=${set}`,
    `--ambient-caps=${set}`,
    "--no-new-privs",
  ];
}

const TRY = `
import errno, os, socket, sys
what, directory, name = sys.argv[1:4]
path = os.path.join(directory, name)
try:
    if what == "open":
        socket.socket(socket.AF_UNIX).connect(path)
    elif what == "remove":
        os.unlink(path)
    elif what == "move":
        os.rename(path, path + ".away")
    elif what == "chmod":
        os.chmod(path, 0o666)
    elif what == "make":
        socket.socket(socket.AF_UNIX).bind(path)
    elif what == "list":
        os.listdir(directory)
    print("done")
except OSError as error:
    print(errno.errorcode[error.errno])`;

/** "done", or the error's name. */
function attempt(through: readonly string[], what: string, dir: string, name: string): string {
  const [setpriv, ...words] = [...through, "/usr/bin/python3", "-c", TRY, what, dir, name];
  const { stdout, stderr } = spawnSync(setpriv ?? "", words, { encoding: "utf8" });
  return stdout.trim() || stderr;
}
