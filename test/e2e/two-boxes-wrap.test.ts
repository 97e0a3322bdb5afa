import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { APPLIANCE } from "../support/appliance.ts";
import { HOSTS, Plant } from "../support/plant.ts";
import { mbpollFrom, PlantMachine } from "../support/plant-modbus.ts";
import { plantSite } from "../support/plant-sites.ts";
import { testWith } from "../support/tools.ts";

const SECOND_BOX = "10.20.0.101";
const MIXER = "10.20.0.31";
const ALL = "{ functions: readWrite, read: { holdingRegisters: all }, write: { holdingRegisters: all } }";

/** What the mixer's box allows the panel's: less than the panel is allowed to ask for there. */
function mixerSite(plant: Plant): string {
  return `
niac: 1
site: { name: Mixer, appliance: ${APPLIANCE}, timeZone: UTC, limits: { readSummaryInterval: 1s } }
network: { mode: inline }
machines:
  mixer: { address: ${MIXER}, mac: "${plant.mac("mixer")}", services: { modbus: { protocol: modbus-tcp } } }
grants:
  - name: panel-sets-mixer
    reason: The panel behind the other box shows the mixer and sets its speed
    who: { users: [${APPLIANCE}] }
    what:
      machines: [mixer]
      modbus: { functions: readWrite, read: { holdingRegisters: all }, write: { holdingRegisters: [100-109] } }`;
}

testWith(
  "root",
  "mbpoll",
  "pymodbus",
  "tcpdump",
  "tshark",
)(
  "two unchanged machines behind two boxes talk through the plant's network in TLS 1.3 alone, each box proven to the other",
  async (t) => {
    const plant = Plant.create(t);
    plant.addSecondBox("box2", "mixer", MIXER);
    const second = await plant.prepareBox("box2", SECOND_BOX, null, { serverAddresses: [MIXER] });
    const first = await plant.startBox(
      plantSite(plant, {
        more: `
destinations:
  - { name: mixer, reason: The panel shows the mixer, machines: [hmi], how: wrap, host: ${MIXER}, ports: [502], modbus: ${ALL} }`,
      }),
      // Two authorities: each box is told of the other's.
      { environment: { NIAC_TLS_SERVER_CA: second.root.credential.cert } },
    );
    second.environment["NIAC_TLS_CLIENT_CA"] = first.root.credential.cert;
    await second.run("up");
    await plant.apply(mixerSite(plant), second);
    const mixer = await PlantMachine.start(plant, "mixer");
    const between = await plant.capture("box2", "uplink");

    t.is(await mbpollFrom(plant, "hmi", MIXER, { register: 40, count: 3 }), "40 41 42");
    t.is(await mbpollFrom(plant, "hmi", MIXER, { register: 105, write: 7 }), "written");
    t.is(
      await mbpollFrom(plant, "hmi", MIXER, { register: 110, write: 7 }),
      "Illegal function",
      "the mixer's box judges for itself",
    );
    t.deepEqual(await mixer.written(), ["write holdingRegisters 105 [7]"]);
    t.regex(await mbpollFrom(plant, "scada", MIXER, { register: 40 }), /refused/, "nobody else gets there");

    await between.stop();
    t.true(
      between.frames("tls.handshake.type == 2 && tls.handshake.extensions.supported_version == 0x0304")
        .length > 0,
    );
    t.true(between.frames("tls.record.opaque_type == 23").length > 0);
    const pair = `ip.addr == ${HOSTS.hmi} && ip.addr == ${MIXER}`;
    t.deepEqual(between.frames(`${pair} && tcp.port != 802`), [], "nothing between the two beside it");
    t.deepEqual(
      between.frames(`${pair} && tcp.len > 0 && !tls && !tcp.reassembled_in && !tcp.analysis.retransmission`),
      [],
    );
    t.deepEqual(between.frames("mbtcp"), []);

    const own = new X509Certificate(readFileSync(first.environment["NIAC_TLS_CERTIFICATE"] ?? ""));
    const [session] = await second.recorded(1, "kind=session.start");
    t.like(session, { machine: "mixer", service: "modbus" });
    t.like(session?.identity, { user: APPLIANCE });
    t.is(session?.identity?.fingerprint, own.fingerprint256.replaceAll(":", "").toLowerCase());
    t.is(session?.source?.split(":")[0], HOSTS.hmi, "from the panel's own address");
    const [denied] = await second.recorded(1, "kind=operation", "decision=denial");
    t.is(denied?.rule, "panel-sets-mixer");
    const [passedOn] = await first.recorded(1, "kind=session.start", "user=hmi");
    t.is(passedOn?.detail?.["serverName"], MIXER);
  },
);
