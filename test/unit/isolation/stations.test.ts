import test, { type ExecutionContext } from "ava";
import * as fc from "fast-check";
import { parseDrafts } from "../../../src/audit/schema.ts";
import { MAX_NOTICES } from "../../../src/isolation/notices.ts";
import {
  type Arp,
  arpAnnouncement,
  arpReply,
  arpRequest,
  buildArp,
} from "../../../src/isolation/packet/arp.ts";
import type { Port } from "../../../src/isolation/refusal.ts";
import type { OwnPort } from "../../../src/isolation/station-findings.ts";
import { type Observed, Stations } from "../../../src/isolation/stations.ts";
import { TestClock } from "./clock.ts";
import { frame, ipv4, udp } from "./packet/build.ts";
import { HMI_MAC, hmi, press, PRESS_MAC, snapshot } from "./snapshots.ts";

const HOUR = 3_600_000;
const ALL = "ff:ff:ff:ff:ff:ff";
const STRANGER = "02:00:00:00:00:99";
const OWN: Readonly<Record<Port, OwnPort>> = {
  uplink: { mac: "02:00:00:00:00:01", address: "10.20.0.2" },
  device: { mac: "02:00:00:00:00:02", address: null },
};

class Bed {
  readonly clock = new TestClock();
  readonly stations: Stations;
  #ids = 0;

  constructor() {
    this.stations = new Stations(this.clock, () => `netd-${this.#ids++}`);
    this.stations.use(snapshot, OWN);
  }

  /** What follows, its record as the audit log would take it. */
  observe(port: Port, bytes: Uint8Array): Observed {
    const observed = this.stations.observe(port, bytes);
    if (observed.draft !== null) parseDrafts([observed.draft]);
    return observed;
  }

  reason(port: Port, bytes: Uint8Array): string | null {
    return this.observe(port, bytes).draft?.reason ?? null;
  }
}

/** Any ARP in which `mac` uses `address`. */
function using(mac: string, address: string): Buffer {
  return arpRequest(mac, address, "10.20.0.1");
}

function broadcast(mac: string, source: string, port = 138): Buffer {
  return frame(
    ALL,
    mac,
    0x0800,
    ipv4({ source, destination: "255.255.255.255", protocol: 17, payload: udp(port, port, Buffer.alloc(0)) }),
  );
}

const NOTHING: Observed = { draft: null, refusal: null, send: null };

test("machines as the site document has them are no news, whatever they ask by ARP", (t) => {
  const bed = new Bed();
  t.deepEqual(bed.observe("device", using(PRESS_MAC, "10.20.0.50")), NOTHING);
  t.deepEqual(bed.observe("device", arpAnnouncement(HMI_MAC, "10.20.0.51")), NOTHING);
  t.deepEqual(
    bed.observe("device", arpRequest(PRESS_MAC, "0.0.0.0", "10.20.0.50")),
    NOTHING,
    "a probe of its own address",
  );
  t.deepEqual(bed.observe("uplink", using(STRANGER, "10.20.0.66")), NOTHING);
});

test("another MAC address with a machine's address on the device port", (t) => {
  const bed = new Bed();
  const time = bed.clock.now();
  const { draft, refusal, send } = bed.observe("device", using(STRANGER, "10.20.0.50"));
  t.deepEqual(draft, {
    time,
    kind: "network",
    id: "netd-0",
    source: STRANGER,
    machine: "press-4",
    reason: `the address of press-4 (10.20.0.50) is used on the device port by a station with the MAC address ${STRANGER}, and the site document says ${PRESS_MAC}: the machine was exchanged, or something pretends to be it. It gets nothing. If it was exchanged, write the new MAC address into the site document`,
    siteVersion: 7,
    detail: { event: "mac-changed", port: "device", mac: STRANGER, address: "10.20.0.50" },
  });
  t.like(refusal, {
    stage: "unknown-station",
    on: "device",
    source: STRANGER,
    machine: null,
    what: "ARP",
    bytes: 60,
  });
  t.is(send, null);
  const plain = frame(
    OWN.device.mac,
    "02:00:00:00:00:98",
    0x0800,
    ipv4({
      source: "10.20.0.50",
      destination: "10.9.9.9",
      protocol: 17,
      payload: udp(1, 2, Buffer.alloc(0)),
    }),
  );
  t.like(bed.observe("device", plain), { draft: { machine: "press-4" }, refusal: { what: "IPv4" } });
});

test("a station that nobody knows, with what it uses", (t) => {
  const bed = new Bed();
  t.is(
    bed.reason("device", using(STRANGER, "10.20.0.77")),
    `there is a station on the device port that the site document does not name, with the MAC address ${STRANGER}, which uses the address 10.20.0.77. It gets nothing. Run niac discover to see what it is; then name it in the site document, or unplug it`,
  );
  t.is(bed.reason("device", using(STRANGER, "10.20.0.78")), null, "once, whatever else it uses");
  t.regex(
    bed.reason("device", frame(ALL, "02:00:00:00:00:97", 0x88cc, Buffer.alloc(46))) ?? "",
    /MAC address 02:00:00:00:00:97\. It gets nothing/,
  );
});

test("a machine that uses another address, its neighbour's too", (t) => {
  const bed = new Bed();
  t.is(
    bed.reason("device", using(PRESS_MAC, "10.20.0.60")),
    `press-4 (MAC address ${PRESS_MAC}) uses the address 10.20.0.60, not 10.20.0.50 as in the site document. What it sends from there goes nowhere. Set the machine's address right, or the site document`,
  );
  t.regex(
    bed.reason("device", using(PRESS_MAC, "10.20.0.51")) ?? "",
    /uses the address 10\.20\.0\.51, which is that of hmi-4, not 10\.20\.0\.50/,
  );
  t.is(bed.reason("device", broadcast(PRESS_MAC, "0.0.0.0", 67)), null);
});

test("a machine's address claimed on the uplink is announced at once, then every ten seconds at most", (t) => {
  const bed = new Bed();
  const claim = arpAnnouncement(STRANGER, "10.20.0.50");
  const { draft, refusal, send } = bed.observe("uplink", claim);
  t.like(draft, {
    machine: "press-4",
    source: STRANGER,
    detail: { event: "address-claimed", port: "uplink", mac: STRANGER, address: "10.20.0.50" },
  });
  t.regex(
    draft?.reason ?? "",
    /^the address of press-4 \(10\.20\.0\.50\) is claimed on the uplink by a station with the MAC address 02:00:00:00:00:99:/,
  );
  t.is(refusal, null);
  t.deepEqual(send, arpAnnouncement(OWN.uplink.mac, "10.20.0.50"));
  bed.clock.pass(9_999);
  t.deepEqual(bed.observe("uplink", claim), NOTHING);
  t.deepEqual(
    bed.observe("uplink", arpAnnouncement(STRANGER, "10.20.0.51")).send,
    arpAnnouncement(OWN.uplink.mac, "10.20.0.51"),
    "another address has its own time",
  );
  bed.clock.pass(1);
  const again = bed.observe("uplink", claim);
  t.is(again.draft, null);
  t.not(again.send, null);
});

test("a claim that came too soon after an announcement is answered once the time has come, without another claim", (t) => {
  const bed = new Bed();
  const claim = arpAnnouncement(STRANGER, "10.20.0.50");
  bed.observe("uplink", claim);
  t.deepEqual(bed.stations.due(), [], "one claim, one announcement");
  bed.clock.pass(1);
  bed.observe("uplink", claim);
  bed.observe("uplink", claim);
  bed.clock.pass(9_998);
  t.deepEqual(bed.stations.due(), []);
  bed.clock.pass(1);
  const send = arpAnnouncement(OWN.uplink.mac, "10.20.0.50");
  t.deepEqual(bed.stations.due(), [{ port: "uplink", send }]);
  bed.clock.pass(20_000);
  t.deepEqual(bed.stations.due(), [], "and once only");
  bed.observe("uplink", claim);
  bed.observe("uplink", claim);
  bed.stations.use(null, OWN);
  bed.clock.pass(20_000);
  t.deepEqual(bed.stations.due(), [], "nothing is kept without a document");
});

test("any ARP that uses a machine's address is a claim, answers too", (t) => {
  const reply: Arp = {
    operation: "reply",
    senderMac: STRANGER,
    senderAddress: "10.20.0.50",
    targetMac: PRESS_MAC,
    targetAddress: "10.20.0.9",
  };
  const bed = new Bed();
  // Sent by another station than the one it speaks of: what poisons caches is inside.
  const forged = buildArp(reply, ALL);
  forged.set([2, 0, 0, 0, 0, 0x55], 6);
  const { draft, send } = bed.observe("uplink", forged);
  t.like(draft, { detail: { event: "address-claimed", mac: STRANGER } });
  t.not(send, null);
});

test("a probe for a machine's address is answered, so that nobody takes it", (t) => {
  const bed = new Bed();
  const probe = arpRequest(STRANGER, "0.0.0.0", "10.20.0.50");
  const asked: Arp = {
    operation: "request",
    senderMac: STRANGER,
    senderAddress: "0.0.0.0",
    targetMac: "00:00:00:00:00:00",
    targetAddress: "10.20.0.50",
  };
  const { draft, send } = bed.observe("uplink", probe);
  t.regex(
    draft?.reason ?? "",
    /asked on the uplink whether the address of press-4 \(10\.20\.0\.50\) is free, and was told that it is not/,
  );
  t.deepEqual(send, arpReply(OWN.uplink.mac, asked));
  bed.clock.pass(999);
  t.is(bed.observe("uplink", probe).send, null);
  bed.clock.pass(1);
  t.not(bed.observe("uplink", probe).send, null, "a second probe, as RFC 5227 has it, is answered too");
  t.deepEqual(
    bed.observe("uplink", arpRequest(STRANGER, "0.0.0.0", "10.20.0.66")),
    NOTHING,
    "an address of nobody behind the appliance",
  );
});

test("a probe that would be answered to a group is not", (t) => {
  const bed = new Bed();
  const { draft, send } = bed.observe("uplink", arpRequest(ALL, "0.0.0.0", "10.20.0.50"));
  t.not(draft, null);
  t.is(send, null);
});

test("a machine itself on the uplink is told, and not driven off its address", (t) => {
  const bed = new Bed();
  for (const bytes of [
    arpAnnouncement(PRESS_MAC, "10.20.0.50"),
    arpRequest(PRESS_MAC, "0.0.0.0", "10.20.0.50"),
  ]) {
    const { draft, send } = bed.observe("uplink", bytes);
    t.like(draft, { machine: "press-4", detail: { event: "machine-on-uplink" } });
    t.regex(draft?.reason ?? "", /a cable leads around the appliance/);
    t.is(send, null);
  }
});

test("the appliance's own address claimed, on either port", (t) => {
  const bed = new Bed();
  for (const port of ["uplink", "device"] as const) {
    const { draft, send } = bed.observe(port, using(STRANGER, "10.20.0.2"));
    t.like(draft, { detail: { event: "own-address-claimed", port } });
    t.regex(draft?.reason ?? "", /^the appliance's own address 10\.20\.0\.2 is claimed on the/);
    t.deepEqual(send, arpAnnouncement(OWN[port].mac, "10.20.0.2"));
  }
});

test("the appliance's own frames come back as a cable between the ports, or as nothing", (t) => {
  const bed = new Bed();
  const own = using(OWN.uplink.mac, "10.20.0.2");
  t.regex(bed.reason("device", own) ?? "", /a cable or a switch joins the uplink and the device port/);
  t.is(bed.observe("device", own).refusal, null);
  t.regex(
    bed.reason("uplink", using(OWN.device.mac, "10.20.0.9")) ?? "",
    /joins the uplink and the device port/,
  );
  t.deepEqual(
    bed.observe("uplink", arpAnnouncement(OWN.uplink.mac, "10.20.0.50")),
    NOTHING,
    "reflected by a loop",
  );
});

test("in a subnet of its own, a machine's address on the uplink is nobody's business", (t) => {
  const bed = new Bed();
  const device = { address: "192.168.7.1", prefix: 24, dhcp: true };
  const network = { mode: "routed", refusal: "reset", device, nameServers: [], timeServers: [] } as const;
  bed.stations.use({ ...snapshot, network }, OWN);
  t.deepEqual(bed.observe("uplink", arpAnnouncement(STRANGER, "10.20.0.50")), NOTHING);
  t.deepEqual(
    bed.observe("device", broadcast(PRESS_MAC, "0.0.0.0", 67)),
    NOTHING,
    "the appliance's DHCP server answers",
  );
});

test("what a machine sends at layer 2 is refused, by its name", (t) => {
  const bed = new Bed();
  const what = (bytes: Buffer): string | undefined => {
    const { draft, refusal } = bed.observe("device", bytes);
    t.is(draft, null);
    if (refusal !== null) t.like(refusal, { stage: "link-layer", machine: "press-4", source: PRESS_MAC });
    return refusal?.what;
  };
  t.is(what(frame("01:80:c2:00:00:0e", PRESS_MAC, 0x88cc, Buffer.alloc(46))), "LLDP");
  t.is(what(frame("01:0e:cf:00:00:00", PRESS_MAC, 0x8892, Buffer.from([0xfe, 0xfe]))), "PROFINET DCP");
  t.is(what(broadcast(PRESS_MAC, "10.20.0.50")), "IPv4 broadcast");
  t.is(what(broadcast(PRESS_MAC, "0.0.0.0", 67)), "DHCP");
  t.is(what(frame(OWN.device.mac, PRESS_MAC, 0x0800, Buffer.alloc(60), [[0x8100, 12]])), "802.1Q tag 12");
  t.is(
    what(frame(ALL, PRESS_MAC, 0x0806, using(PRESS_MAC, "10.20.0.50").subarray(14), [[0x8100, 12]])),
    "802.1Q tag 12",
  );
  t.is(
    what(
      frame(
        OWN.device.mac,
        PRESS_MAC,
        0x0800,
        ipv4({ source: "10.20.0.50", destination: "10.9.9.9", protocol: 6, payload: Buffer.alloc(20) }),
      ),
    ),
    undefined,
  );
});

test("a claim inside a VLAN is none", (t) => {
  const tagged = frame(ALL, STRANGER, 0x0806, arpAnnouncement(STRANGER, "10.20.0.50").subarray(14), [
    [0x8100, 12],
  ]);
  t.deepEqual(new Bed().observe("uplink", tagged), NOTHING);
});

test("it is said once, and again when it comes back after an hour, or under a new document", (t) => {
  const bed = new Bed();
  const claim = using(STRANGER, "10.20.0.50");
  t.not(bed.reason("device", claim), null);
  for (let i = 0; i < 5; i++) {
    bed.clock.pass(HOUR / 2);
    t.is(bed.reason("device", claim), null);
  }
  bed.clock.pass(HOUR);
  t.not(bed.reason("device", claim), null);
  bed.stations.use(snapshot, OWN);
  t.not(bed.reason("device", claim), null);
  bed.stations.use({ ...snapshot, machines: [hmi, { ...press, mac: STRANGER }] }, OWN);
  t.is(bed.reason("device", claim), null, "the machine was exchanged, and the document says so");
  t.regex(
    bed.reason("device", using(PRESS_MAC, "10.20.0.50")) ?? "",
    /is used on the device port by a station with the MAC address 00:1b:1b:00:00:04/,
  );
});

test("a flood of MAC addresses is a few records, the last of which says so", (t: ExecutionContext) => {
  const bed = new Bed();
  const reasons: string[] = [];
  for (let i = 0; i < 5_000; i++) {
    const mac = `06:00:00:00:${(i >> 8).toString(16).padStart(2, "0")}:${(i & 255).toString(16).padStart(2, "0")}`;
    const observed = bed.observe("device", using(mac, `10.${i & 1 ? 20 : 21}.0.50`));
    if (observed.draft !== null) reasons.push(observed.draft.reason ?? "");
    if (observed.refusal?.stage !== "unknown-station") t.fail("every frame is refused and counted");
  }
  t.is(reasons.length, 2 * MAX_NOTICES, "unknown stations, and those with press-4's address");
  t.is(reasons.filter((reason) => reason.endsWith("more are not recorded one by one for an hour")).length, 2);
  t.true(bed.stations.neighbours().length <= 512);
});

test("without a site document for the cable everybody is heard and nobody judged", (t) => {
  const bed = new Bed();
  for (const none of [null, { ...snapshot, network: null }]) {
    bed.stations.use(none, OWN);
    t.deepEqual(bed.observe("device", using(STRANGER, "10.20.0.50")), NOTHING);
    t.deepEqual(bed.observe("uplink", arpAnnouncement(STRANGER, "10.20.0.50")), NOTHING);
  }
  t.like(bed.stations.neighbours()[0], {
    port: "device",
    mac: STRANGER,
    addresses: ["10.20.0.50"],
    machine: null,
  });
});

test("neighbours are shown with the machine they are", (t) => {
  const bed = new Bed();
  bed.observe("device", using(PRESS_MAC, "10.20.0.50"));
  bed.observe("device", frame("01:80:c2:00:00:0e", PRESS_MAC, 0x88cc, Buffer.alloc(46)));
  bed.observe("device", arpRequest(STRANGER, "0.0.0.0", "10.20.0.9"));
  t.like(bed.stations.neighbours()[0], {
    mac: PRESS_MAC,
    machine: "press-4",
    addresses: ["10.20.0.50"],
    seen: ["ARP", "LLDP"],
  });
  t.like(bed.stations.neighbours()[1], { mac: STRANGER, machine: null, addresses: [] });
});

test("frames of any kind are observed without an error", (t) => {
  const bed = new Bed();
  const macs = fc.constantFrom(PRESS_MAC, HMI_MAC, STRANGER, OWN.uplink.mac, OWN.device.mac, ALL);
  const arps = fc.record<Arp>({
    operation: fc.constantFrom("request", "reply"),
    senderMac: macs,
    senderAddress: fc.constantFrom("10.20.0.50", "10.20.0.2", "0.0.0.0", "10.20.0.66"),
    targetMac: macs,
    targetAddress: fc.constantFrom("10.20.0.51", "10.20.0.2"),
  });
  const frames = fc.oneof(
    fc.uint8Array({ maxLength: 100 }),
    arps.map((arp) => buildArp(arp, ALL)),
  );
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.constantFrom<Port>("uplink", "device"), frames, (port, bytes) => {
        bed.observe(port, bytes);
        bed.clock.pass(3_000);
      }),
      { numRuns: 3_000 },
    ),
  );
});
