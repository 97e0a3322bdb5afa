import test from "ava";
import { parseIpv4 } from "../../../src/isolation/packet/ipv4.ts";
import { packetRefusal, surroundings, type Port, type Refusal } from "../../../src/isolation/refusal.ts";
import { dnsQuery, icmp, ipv4, type PacketFields, tcp, udp } from "./packet/build.ts";
import { snapshot } from "./snapshots.ts";

const around = surroundings(snapshot, ["10.20.0.2"]);
const SYN = tcp({ sourcePort: 40_000, destinationPort: 502, flags: 2 });

function refusal(on: Port, fields: Partial<PacketFields>): Refusal {
  const bytes = ipv4({
    source: "10.20.0.66",
    destination: "10.20.0.50",
    protocol: 6,
    payload: SYN,
    ...fields,
  });
  const packet = parseIpv4(bytes);
  if ("problem" in packet) throw new Error(packet.problem);
  return packetRefusal(packet, bytes, on, around);
}

test("from the plant to a machine", (t) => {
  t.deepEqual(refusal("uplink", {}), {
    stage: "unknown-port",
    on: "uplink",
    source: "10.20.0.66",
    machine: "press-4",
    target: "10.20.0.50",
    transport: "tcp",
    sourcePort: 40_000,
    targetPort: 502,
    what: "tcp",
    bytes: 40,
    odd: false,
    name: null,
  });
  t.like(refusal("uplink", { destination: "10.20.0.2" }), {
    stage: "unknown-port",
    machine: null,
    target: "10.20.0.2",
  });
});

test("from a machine, with the DNS name it asked for", (t) => {
  const query = udp(5_000, 53, dnsQuery(["cloud", "example"]));
  t.like(refusal("device", { source: "10.20.0.50", destination: "8.8.8.8", protocol: 17, payload: query }), {
    stage: "destination",
    machine: "press-4",
    target: "8.8.8.8",
    transport: "udp",
    targetPort: 53,
    name: "cloud.example",
  });
});

test("an address that cannot come from there is spoofed, whoever it would be", (t) => {
  t.like(refusal("uplink", { source: "10.20.0.51" }), { stage: "spoofed", machine: "hmi-4" });
  t.like(refusal("uplink", { source: "127.0.0.1" }), { stage: "spoofed", machine: null });
  t.like(refusal("device", { source: "10.20.0.99" }), { stage: "spoofed", machine: null });
  t.like(refusal("device", { source: "0.0.0.0" }), { stage: "spoofed", machine: null });
});

test("what has no port is called by its protocol", (t) => {
  const what = (fields: Partial<PacketFields>): string => refusal("uplink", fields).what;
  t.is(what({ protocol: 1, payload: icmp(8, 0) }), "ping");
  t.is(what({ protocol: 1, payload: icmp(77, 0) }), "icmp type 77");
  t.is(what({ protocol: 47 }), "GRE");
  t.is(what({ protocol: 200 }), "protocol 200");
  t.is(what({ fragmentOffset: 8 }), "fragment of tcp");
  t.is(what({ payload: SYN.subarray(0, 2) }), "cut-off tcp");
  t.like(refusal("uplink", { fragmentOffset: 8 }), { transport: null, targetPort: -1 });
});

test("flags that no connection has and source routes are odd", (t) => {
  t.true(refusal("uplink", { payload: tcp({ sourcePort: 1, destinationPort: 2, flags: 0x29 }) }).odd);
  t.true(refusal("uplink", { options: Uint8Array.of(131, 3, 4, 0) }).odd);
});

test("without a site document nobody is a machine", (t) => {
  const nobody = surroundings(null, []);
  t.is(nobody.byAddress.size, 0);
  t.is(nobody.byName.size, 0);
});
