import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HOSTS, Plant } from "../support/plant.ts";
import { mbpollFrom, PlantMachine, stunnelOn } from "../support/plant-modbus.ts";
import { plantSite } from "../support/plant-sites.ts";
import { testWith } from "../support/tools.ts";

const NOBODY = 65_534;

testWith(
  "root",
  "stunnel4",
  "mbpoll",
  "pymodbus",
)(
  "the gateway in the cable runs as a user of its own without any capability, and reaches no socket but its own",
  async (t) => {
    const plant = Plant.create(t);
    const site = plantSite(plant, {
      network: `nameServers: [${HOSTS.historian}]`,
      more: `
destinations:
  - { name: mixer, reason: The panel shows the mixer, machines: [hmi], how: inspect, host: ${HOSTS.scada}, ports: [502], modbus: { functions: readOnly, read: { holdingRegisters: all } } }
unsafeUnauthenticated:
  - { name: historian, owner: process data, reason: It speaks no TLS, until: 2099-12-31, source: { address: ${HOSTS.historian}, mac: "${plant.mac("historian")}" }, what: { machines: [press] } }`,
    });
    // Where everybody may go, as /run is; the tests' own directories are root's alone.
    const around = mkdtempSync(join(tmpdir(), "niac-run-"));
    t.teardown(() => rmSync(around, { recursive: true, force: true }));
    chmodSync(around, 0o755);
    const run = join(around, "niac");
    const box = await plant.startBox(site, {
      environment: { NIAC_GATEWAY_USER: "nobody", NIAC_RUN_DIR: run },
    });

    const status = readFileSync(`/proc/${box.pid("gateway")}/status`, "utf8");
    const field = (name: string): string =>
      new RegExp(`^${name}:[ \\t]*(.*?)[ \\t]*$`, "m").exec(status)?.[1] ?? "missing";
    for (const ids of ["Uid", "Gid"])
      t.deepEqual(new Set(field(ids).split(/\s+/)), new Set([String(NOBODY)]), ids);
    t.is(field("Groups"), "");
    for (const set of ["CapInh", "CapPrm", "CapEff", "CapAmb"]) t.regex(field(set), /^0+$/, set);
    const socket = (name: string): object => {
      const { uid, mode } = statSync(join(run, name));
      return { uid, mode: mode & 0o777 };
    };
    t.deepEqual(socket("gateway.sock"), { uid: NOBODY, mode: 0o600 });
    t.deepEqual(socket("admin.sock"), { uid: 0, mode: 0o600 });
    t.deepEqual(socket("netd.sock"), { uid: 0, mode: 0o600 });
    t.deepEqual(socket("."), { uid: 0, mode: 0o701 });

    await PlantMachine.start(plant, "press");
    await PlantMachine.start(plant, "scada");
    const credential = box.root.client({ cn: "alice", ou: ["maintenance"] });
    const port = await stunnelOn(plant, "laptop", { credential, to: `${HOSTS.press}:802` });
    t.is(
      await mbpollFrom(plant, "laptop", "127.0.0.1", { port, register: 40 }),
      "40",
      "at the machine's own address",
    );
    t.is(await mbpollFrom(plant, "laptop", "127.0.0.1", { port, register: 40, write: 7 }), "written");
    t.is(await mbpollFrom(plant, "historian", HOSTS.press, { register: 40 }), "7", "without a certificate");
    t.is(
      await mbpollFrom(plant, "hmi", HOSTS.scada, { register: 41 }),
      "41",
      "from a machine, with its own address",
    );
    t.is(box.log.split('"msg":"gateway started"').length, 2, "it started once");
  },
);
