import test, { type ExecutionContext } from "ava";
import { type RecordDraft } from "../../../src/audit/index.ts";
import { parseDrafts } from "../../../src/audit/schema.ts";
import { MAX_KINDS, MAX_OF_MACHINE, RefusalBook } from "../../../src/isolation/refusals.ts";
import type { Refusal } from "../../../src/isolation/refusal.ts";
import { TestClock } from "./clock.ts";
import { historian, snapshot } from "./snapshots.ts";

const SECOND = 1_000;
const MINUTE = 60_000;
const HOUR = 3_600_000;

const INBOUND: Refusal = {
  stage: "unknown-port",
  on: "uplink",
  source: "10.20.0.66",
  machine: "press-4",
  target: "10.20.0.50",
  transport: "tcp",
  sourcePort: 40_000,
  targetPort: 22,
  what: "tcp",
  bytes: 60,
  odd: false,
  name: null,
};
const OUTBOUND: Refusal = {
  ...INBOUND,
  stage: "destination",
  on: "device",
  source: "10.20.0.50",
  target: "8.8.8.8",
  targetPort: 443,
};
const LLDP: Refusal = {
  ...INBOUND,
  stage: "link-layer",
  on: "device",
  source: "00:1b:1b:00:00:04",
  target: "01:80:c2:00:00:0e",
  transport: null,
  sourcePort: -1,
  targetPort: -1,
  what: "LLDP",
};
const PING = { transport: null, sourcePort: -1, targetPort: -1, what: "ping" } as const;

class Bed {
  readonly clock = new TestClock();
  readonly book: RefusalBook;
  readonly drafts: RecordDraft[] = [];
  #ids = 0;

  constructor() {
    this.book = new RefusalBook(this.clock, () => `netd-${this.#ids++}`);
    this.book.use(snapshot, ["10.20.0.2"]);
  }

  /** Lets time pass a second at a time, as netd does; what was recorded meanwhile, each as the audit log would take it. */
  pass(milliseconds: number): RecordDraft[] {
    const recorded: RecordDraft[] = [];
    for (let left = milliseconds; left > 0; left -= SECOND) {
      this.clock.pass(Math.min(left, SECOND));
      recorded.push(...parseDrafts(this.book.due()));
    }
    this.drafts.push(...recorded);
    return recorded;
  }

  /** The one record of what was added. */
  only(t: ExecutionContext, ...refusals: readonly Partial<Refusal>[]): RecordDraft {
    for (const refusal of refusals) this.book.add({ ...INBOUND, ...refusal });
    const [draft, ...more] = this.pass(10 * SECOND);
    t.deepEqual(more, []);
    if (draft === undefined) throw new Error("nothing was recorded");
    return draft;
  }
}

test("one refused connection is one record, with the port it came from", (t) => {
  const bed = new Bed();
  const time = bed.clock.now();
  t.deepEqual(bed.only(t, {}), {
    time,
    kind: "flow.refused",
    id: "netd-0",
    source: "10.20.0.66:40000",
    machine: "press-4",
    decision: "denial",
    stage: "unknown-port",
    reason:
      "10.20.0.66 tried tcp port 22 of press-4; press-4 is reachable with a certificate on port 802 only",
    counts: { packets: 1, bytes: 60, tcpPorts: 1 },
    duration: 0,
    siteVersion: 7,
    detail: { port: "uplink", destination: "10.20.0.50", ports: "tcp 22" },
  });
});

test("nothing is recorded before it was quiet for five seconds", (t) => {
  const bed = new Bed();
  for (let i = 0; i < 4; i++) {
    bed.book.add(INBOUND);
    t.deepEqual(bed.pass(4 * SECOND), []);
  }
  const [draft] = bed.pass(SECOND);
  t.is(
    draft?.reason,
    "10.20.0.66 tried tcp port 22 of press-4 (4 packets in 12 s); press-4 is reachable with a certificate on port 802 only",
  );
  t.is(draft?.source, "10.20.0.66");
  t.is(draft?.duration, 12_000);
});

test("a scan of all ports is one record", (t) => {
  const bed = new Bed();
  for (let port = 65_535; port >= 1; port--) {
    bed.book.add({ ...INBOUND, targetPort: port, odd: port <= 3 });
    if (port % 1_000 === 0) bed.pass(730);
  }
  for (let port = 1; port <= 1_000; port++) bed.book.add({ ...INBOUND, transport: "udp", targetPort: port });
  bed.pass(10 * SECOND);
  t.is(bed.drafts.length, 1);
  t.like(bed.drafts[0], {
    reason:
      "10.20.0.66 tried 65,535 tcp ports and 1,000 udp ports of press-4 in 47 s, which looks like a scan, 3 packets of it such as only tools for scanning send; press-4 is reachable with a certificate on port 802 only",
    source: "10.20.0.66",
    counts: { packets: 66_535, bytes: 66_535 * 60, tcpPorts: 65_535, udpPorts: 1_000, odd: 3 },
    detail: {
      port: "uplink",
      destination: "10.20.0.50",
      ports: "tcp 1, 2, 3 and 65,532 more; udp 1, 2, 3 and 997 more",
    },
  });
});

test("several ports, and what has no port, are named", (t) => {
  const draft = new Bed().only(
    t,
    { targetPort: 443 },
    { targetPort: 80 },
    { transport: "udp", targetPort: 161 },
    PING,
  );
  t.is(
    draft.reason,
    "10.20.0.66 tried tcp ports 80 and 443, udp port 161 and ping of press-4 (4 packets); press-4 is reachable with a certificate on port 802 only",
  );
  t.is(draft.detail?.["ports"], "tcp 80 and 443; udp 161; ping");
});

test("a ping says what would allow it", (t) => {
  t.is(
    new Bed().only(t, PING, PING).reason,
    "10.20.0.66 pinged press-4 (2 packets); the site document does not let press-4 be pinged (ping: true would)",
  );
});

test("who asks for a service's own port reads how it may be reached there", (t) => {
  t.is(
    new Bed().only(t, { targetPort: 502 }).reason,
    "10.20.0.66 tried tcp port 502 of press-4; press-4 is reachable with a certificate on port 802 only; without one, port 502 is for the clients that the site document names under unsafeUnauthenticated",
  );
});

test("a machine without services, the appliance, and what is nobody's", (t) => {
  t.is(
    new Bed().only(t, { machine: "hmi-4", target: "10.20.0.51" }).reason,
    "10.20.0.66 tried tcp port 22 of hmi-4; hmi-4 is not reachable at its own address",
  );
  t.is(
    new Bed().only(t, { machine: null, target: "10.20.0.2" }).reason,
    "10.20.0.66 tried tcp port 22 of the appliance at 10.20.0.2, which answers nobody there",
  );
  t.is(
    new Bed().only(t, { machine: null, target: "10.9.9.9" }).reason,
    "10.20.0.66 tried tcp port 22 of 10.9.9.9, which is no machine behind this appliance",
  );
});

test("a machine's own refusals say what of the site document comes nearest", (t) => {
  const reason = (refusal: Partial<Refusal>): string | undefined =>
    new Bed().only(t, { ...OUTBOUND, ...refusal }).reason;
  t.is(
    reason({}),
    "press-4 may not reach 8.8.8.8 port 443 tcp: no destination of the site document allows it; add one, or stop the machine from asking",
  );
  t.is(
    reason({ target: "10.30.0.7" }),
    "press-4 may not reach 10.30.0.7 port 443 tcp: destination historian allows tcp port 1433 there only; extend it, or stop the machine from asking",
  );
  t.is(
    reason({ machine: "hmi-4", source: "10.20.0.51", target: "10.30.0.7", targetPort: 1_433 }),
    "hmi-4 may not reach 10.30.0.7 port 1433 tcp: destination historian allows it for press-4 only; name hmi-4 there, too, or stop it from asking",
  );
  t.is(
    reason({ target: "10.20.0.51", targetPort: 502 }),
    "press-4 may not reach hmi-4 (10.20.0.51) port 502 tcp: no destination of the site document allows it; add one, or stop the machine from asking",
  );
  t.is(
    reason(PING),
    "press-4 may not ping 8.8.8.8: no destination of the site document allows it; add one, or stop the machine from asking",
  );
  t.is(
    reason({ ...PING, what: "GRE" }),
    "press-4 may not send GRE to 8.8.8.8: no destination of the site document allows it; add one, or stop the machine from asking",
  );
  const query = new Bed().only(t, { ...OUTBOUND, transport: "udp", targetPort: 53, name: "cloud.example" });
  t.is(
    query.reason,
    "press-4 may not ask 8.8.8.8 for the name cloud.example: no destination of the site document allows it; add one, or stop the machine from asking",
  );
  t.deepEqual(query.detail, {
    port: "device",
    destination: "8.8.8.8",
    ports: "udp 53",
    dns: "cloud.example",
  });
});

test("a destination's ports are told, ranges and many of them too", (t) => {
  const bed = new Bed();
  const ports = [1, 3, 5, 7, 9, 11].map((start) => ({ start, end: start }));
  bed.book.use({ ...snapshot, destinations: [{ ...historian, ports }] }, []);
  t.regex(
    bed.only(t, { ...OUTBOUND, target: "10.30.0.7" }).reason ?? "",
    /allows tcp ports 1, 3, 5, 7 and 9 and others there only/,
  );
  const other = new Bed();
  other.book.use(
    { ...snapshot, destinations: [{ ...historian, ports: [{ start: 5_000, end: 5_010 }] }] },
    [],
  );
  t.regex(
    other.only(t, { ...OUTBOUND, target: "10.30.0.7" }).reason ?? "",
    /allows tcp ports 5000-5010 there only/,
  );
});

test("what goes on is recorded after five minutes, then in intervals that double to an hour", (t) => {
  const bed = new Bed();
  const at: number[] = [];
  const start = bed.clock.monotonic();
  for (let second = 0; second < 24 * 3_600; second++) {
    if (second % 2 === 0) bed.book.add(OUTBOUND);
    if (bed.pass(SECOND).length > 0) at.push(Math.round((bed.clock.monotonic() - start) / MINUTE));
  }
  t.deepEqual(at.slice(0, 7), [5, 10, 20, 40, 80, 140, 200]);
  t.is(at.length, 27);
  const packets = bed.drafts.reduce((sum, { counts }) => sum + (counts?.["packets"] ?? 0), 0);
  t.is(packets, (1_400 * MINUTE) / (2 * SECOND), "all but those after the last full hour");
});

test("a machine that calls every ten seconds is some 24 records a day", (t) => {
  const bed = new Bed();
  for (let i = 0; i < 24 * 360; i++) {
    bed.book.add(OUTBOUND);
    bed.pass(10 * SECOND);
  }
  t.true(bed.drafts.length >= 24 && bed.drafts.length <= 28, `${bed.drafts.length}`);
});

test("what comes back after an hour of quiet is new", (t) => {
  const bed = new Bed();
  bed.book.add(OUTBOUND);
  t.is(bed.pass(5 * SECOND).length, 1);
  bed.book.add(OUTBOUND);
  t.is(bed.pass(4 * MINUTE).length, 0, "it comes again, and waits its five minutes");
  t.is(bed.pass(MINUTE).length, 1);
  t.is(bed.book.view().length, 1);
  bed.pass(HOUR);
  t.is(bed.book.view().length, 0);
  bed.book.add(OUTBOUND);
  t.is(bed.pass(5 * SECOND).length, 1);
});

test("who was on record for one port and then scans is news", (t) => {
  const bed = new Bed();
  bed.book.add(INBOUND);
  bed.pass(5 * SECOND);
  for (let port = 1; port <= 100; port++) bed.book.add({ ...INBOUND, targetPort: port });
  t.regex(bed.pass(5 * SECOND)[0]?.reason ?? "", /100 tcp ports of press-4, which looks like a scan/);
  for (let port = 1; port <= 100; port++) bed.book.add({ ...INBOUND, targetPort: port });
  t.deepEqual(bed.pass(4 * MINUTE), [], "the same once more is not");
});

test("frames of a machine are recorded after five seconds and then every hour", (t) => {
  const bed = new Bed();
  const at: number[] = [];
  for (let second = 0; second < 3 * 3_600; second++) {
    bed.book.add(LLDP);
    if (bed.pass(SECOND).length > 0) at.push(second + 1);
  }
  t.deepEqual(at, [5, 3_605, 7_205]);
  t.is(bed.drafts[0]?.reason, "press-4 sent 5 LLDP frames in 4 s; nothing crosses the appliance at layer 2");
  t.like(bed.drafts[0], {
    source: "00:1b:1b:00:00:04",
    machine: "press-4",
    stage: "link-layer",
    detail: { ports: "LLDP", destination: "01:80:c2:00:00:0e" },
  });
});

test("spoofed packets and unknown stations", (t) => {
  const spoofed = { stage: "spoofed", machine: null } as const;
  t.is(
    new Bed().only(t, { ...spoofed, source: "10.20.0.51", machine: "hmi-4" }).reason,
    "1 packet on the uplink bore the address of hmi-4 (10.20.0.51), which is behind the device port: somebody pretends to be it, or a cable leads around the appliance; they went no further",
  );
  t.is(
    new Bed().only(t, { ...spoofed, source: "127.0.0.1" }, { ...spoofed, source: "127.0.0.1" }).reason,
    "2 packets on the uplink bore the source address 127.0.0.1, which no host has",
  );
  t.is(
    new Bed().only(t, { ...spoofed, on: "device", source: "10.1.2.3" }).reason,
    "1 packet on the device port bore the source address 10.1.2.3, which is no machine's there; they went no further",
  );
  const station = { ...LLDP, stage: "unknown-station", machine: null, source: "02:00:00:00:00:99" } as const;
  t.is(
    new Bed().only(t, station, { ...station, what: "ARP" }).reason,
    "a station with the MAC address 02:00:00:00:00:99 that the site document does not name sent 2 frames on the device port (LLDP; ARP); it gets nothing. Run niac discover to see what it is; then name it in the site document, or unplug it",
  );
});

test("of what is no TCP or UDP a sum names sixteen kinds, and says that there were others", (t) => {
  const station = { ...LLDP, stage: "unknown-station", machine: null } as const;
  const said = (kinds: number): unknown => {
    const sent = Array.from({ length: kinds * 2 }, (_, i) => ({ ...station, what: `kind ${i % kinds}` }));
    return new Bed().only(t, ...sent).detail?.["ports"];
  };
  const named = Array.from({ length: 16 }, (_, i) => `kind ${i}`).join("; ");
  t.is(said(16), named);
  t.is(said(17), `${named}; others`);
});

test("a flood from half a million forged addresses is a few records, and a scan in the middle of it one of its own", (t) => {
  const bed = new Bed();
  for (let i = 0; i < 500_000; i++) {
    bed.book.add({ ...INBOUND, source: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, targetPort: 80 });
    if (i % 20 === 0) bed.book.add({ ...INBOUND, targetPort: 1 + i / 20 });
    if (i % 2_000 === 0) bed.pass(SECOND);
  }
  bed.pass(10 * SECOND);
  const many = bed.drafts.filter(({ source }) => source === undefined);
  t.is(many.length, 1);
  t.regex(
    many[0]?.reason ?? "",
    /^4,096 or more sources sent \d+,\d+ packets to press-4 in \d+ min \(tcp 80\), too many to tell one by one; such addresses are often forged$/,
  );
  t.true(bed.drafts.some(({ reason }) => reason?.startsWith("10.20.0.66 tried 25,000 tcp ports of press-4")));
  t.is(bed.drafts.length, 2);
  t.is(
    bed.drafts.reduce((sum, { counts }) => sum + (counts?.["packets"] ?? 0), 0),
    525_000,
    "and every packet is counted",
  );
});

test("a slow flood of new sources is bounded, too", (t) => {
  const bed = new Bed();
  for (let i = 0; i < 3_000; i++) {
    bed.book.add({ ...INBOUND, source: `10.9.${i >> 8}.${i & 255}` });
    bed.pass(SECOND);
  }
  t.true(bed.drafts.length <= MAX_KINDS["unknown-port"] + 10, `${bed.drafts.length} records in 50 minutes`);
  t.true(bed.book.view().length <= MAX_KINDS["unknown-port"] + 1);
});

test("a machine that searches the network is one record, and others' refusals are told as ever", (t) => {
  const bed = new Bed();
  for (let i = 0; i < 1_000; i++)
    bed.book.add({ ...OUTBOUND, target: `10.40.${i >> 8}.${i & 255}`, targetPort: 502 });
  bed.book.add({ ...OUTBOUND, machine: "hmi-4", source: "10.20.0.51" });
  bed.pass(10 * SECOND);
  t.is(bed.drafts.length, 2);
  const [other, search] = bed.drafts;
  t.is(other?.machine, "hmi-4");
  t.like(search, {
    source: "10.20.0.50",
    machine: "press-4",
    reason:
      "press-4 asked 1,000 addresses for what no destination of the site document allows: 1,000 packets (tcp 502). If nobody is setting it up, have it checked: it may be searching the network",
    counts: { packets: 1_000, bytes: 60_000, tcpPorts: 1, addresses: 1_000 },
    detail: { port: "device", ports: "tcp 502" },
  });
});

test("kinds of all stages are bounded, and one stage's flood leaves the others alone", (t) => {
  const bed = new Bed();
  const stages = ["destination", "unknown-port", "spoofed", "link-layer", "unknown-station"] as const;
  for (const stage of stages) {
    for (let i = 0; i < 5_000; i++) {
      const machine = `machine-${i % 40}`;
      const source = stage === "destination" ? machine : `source-${i}`;
      bed.book.add({ ...INBOUND, stage, machine, source, target: `target-${i}`, what: `kind ${i}` });
    }
  }
  const views = bed.book.view();
  // A sum of many for each stage and machine besides.
  t.true(views.length <= 1_024 + stages.length * 40, `${views.length}`);
  t.is(
    views.reduce((sum, { packets }) => sum + packets, 0),
    25_000,
  );
  t.is(
    Object.values(MAX_KINDS).reduce((sum, most) => sum + most),
    1_024,
  );
  t.is(MAX_OF_MACHINE["destination"], 32);
});

test("the view tells what goes on, before it is on record and after", (t) => {
  const bed = new Bed();
  const first = bed.clock.now();
  bed.book.add(INBOUND);
  bed.clock.pass(SECOND);
  bed.book.add({ ...INBOUND, targetPort: 23 });
  const view = {
    source: "10.20.0.66",
    target: "10.20.0.50",
    machine: "press-4",
    what: "tcp 22 and 23",
    reason:
      "10.20.0.66 tried tcp ports 22 and 23 of press-4 (2 packets in 1 s); press-4 is reachable with a certificate on port 802 only",
    packets: 2,
    first,
    last: first + SECOND,
  };
  t.deepEqual(bed.book.view(), [view]);
  bed.pass(6 * SECOND);
  t.deepEqual(bed.book.view(), [view]);
  bed.book.add(OUTBOUND);
  t.deepEqual(
    bed.book.view().map(({ target }) => target),
    ["8.8.8.8", "10.20.0.50"],
  );
});

test("at a stop everything that is not on record yet is", (t) => {
  const bed = new Bed();
  bed.book.add(INBOUND);
  bed.book.add(OUTBOUND);
  t.is(parseDrafts(bed.book.flush()).length, 2);
  t.deepEqual(bed.book.flush(), []);
  t.deepEqual(bed.pass(HOUR), []);
});

test("the clock on the wall may go back; how long it took is still right", (t) => {
  let wall = 5_000_000;
  let passed = 0;
  const clock = { now: () => wall, monotonic: () => passed };
  const book = new RefusalBook(clock, () => "netd-0");
  book.add(INBOUND);
  passed += 3 * SECOND;
  wall -= HOUR;
  book.add(INBOUND);
  passed += 5 * SECOND;
  t.like(parseDrafts(book.due())[0], { time: 5_000_000, duration: 3_000 });
});

test("a reason fits into a record whatever the names are", (t) => {
  const bed = new Bed();
  bed.book.add({
    ...OUTBOUND,
    machine: "m".repeat(255),
    transport: "udp",
    targetPort: 53,
    name: "n".repeat(255),
    target: "8.8.8.8",
  });
  for (let i = 0; i < 100; i++)
    bed.book.add({ ...LLDP, machine: "m".repeat(255), what: `IPv4 multicast 239.255.255.${100 + i}` });
  t.true(bed.pass(10 * SECOND).length >= 2);
});
