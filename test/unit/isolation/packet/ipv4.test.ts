import test from "ava";
import * as fc from "fast-check";
import { hasOddFlags, type Ipv4Packet, parseIpv4 } from "../../../../src/isolation/packet/ipv4.ts";
import { icmp, ipv4, tcp, udp } from "./build.ts";

const FROM_TO = { source: "10.20.0.66", destination: "10.20.0.50" };

function parsed(bytes: Uint8Array): Ipv4Packet {
  const packet = parseIpv4(bytes);
  if ("problem" in packet) throw new Error(packet.problem);
  return packet;
}

test("a TCP segment with IP and TCP options", (t) => {
  const segment = tcp({
    sourcePort: 40_000,
    destinationPort: 502,
    flags: 0x12,
    sequence: 0xffff_fffe,
    acknowledgement: 0x8000_0000,
    options: Uint8Array.of(2, 4, 5, 0xb4),
    data: Uint8Array.of(1, 2, 3),
  });
  const bytes = ipv4({ ...FROM_TO, protocol: 6, options: Uint8Array.of(1, 1, 1, 0), payload: segment });
  t.deepEqual(parsed(bytes), {
    ...FROM_TO,
    protocol: 6,
    length: 51,
    headerLength: 24,
    ttl: 63,
    fragmentOffset: 0,
    moreFragments: false,
    sourceRouted: false,
    sourcePort: 40_000,
    destinationPort: 502,
    tcpFlags: 0x12,
    tcpSequence: 0xffff_fffe,
    tcpAcknowledgement: 0x8000_0000,
    icmpType: -1,
    icmpCode: -1,
    payloadAt: 48,
  });
});

test("UDP, ICMP and a protocol without ports", (t) => {
  const datagram = parsed(ipv4({ ...FROM_TO, protocol: 17, payload: udp(68, 67, Buffer.from("x")) }));
  t.like(datagram, { sourcePort: 68, destinationPort: 67, tcpFlags: -1, icmpType: -1, payloadAt: 28 });
  const ping = parsed(ipv4({ ...FROM_TO, protocol: 1, payload: icmp(8, 0) }));
  t.like(ping, { icmpType: 8, icmpCode: 0, sourcePort: -1, destinationPort: -1, payloadAt: 28 });
  const gre = parsed(ipv4({ ...FROM_TO, protocol: 47, payload: Buffer.alloc(8) }));
  t.like(gre, { protocol: 47, sourcePort: -1, destinationPort: -1, icmpType: -1, payloadAt: 20 });
});

test("a later fragment has no ports, whatever its bytes look like", (t) => {
  const payload = tcp({ sourcePort: 1, destinationPort: 502, flags: 2 });
  const later = parsed(ipv4({ ...FROM_TO, protocol: 6, payload, fragmentOffset: 1_480 }));
  t.like(later, {
    fragmentOffset: 1_480,
    moreFragments: false,
    sourcePort: -1,
    destinationPort: -1,
    tcpFlags: -1,
  });
  const first = parsed(ipv4({ ...FROM_TO, protocol: 6, payload, moreFragments: true }));
  t.like(first, { fragmentOffset: 0, moreFragments: true, destinationPort: 502, tcpFlags: 2 });
});

test("a transport header cut off leaves what is there", (t) => {
  const whole = tcp({ sourcePort: 40_000, destinationPort: 502, flags: 2 });
  const cut = (length: number): Ipv4Packet =>
    parsed(ipv4({ ...FROM_TO, protocol: 6, payload: whole.subarray(0, length) }));
  t.like(cut(3), { sourcePort: -1, destinationPort: -1, tcpFlags: -1, payloadAt: 20 });
  t.like(cut(4), { sourcePort: 40_000, destinationPort: 502, tcpFlags: -1 });
  t.like(cut(19), { destinationPort: 502, tcpFlags: -1 });
  t.like(cut(20), { destinationPort: 502, tcpFlags: 2, payloadAt: 40 });
  const longHeader = Buffer.from(whole);
  longHeader[12] = 0xf0;
  t.like(parsed(ipv4({ ...FROM_TO, protocol: 6, payload: longHeader })), { tcpFlags: -1 });
  const shortHeader = Buffer.from(whole);
  shortHeader[12] = 0x40;
  t.like(parsed(ipv4({ ...FROM_TO, protocol: 6, payload: shortHeader })), { tcpFlags: -1 });
  t.like(parsed(ipv4({ ...FROM_TO, protocol: 1, payload: Buffer.alloc(7) })), { icmpType: -1 });
});

function routed(options: number[]): boolean {
  const payload = udp(1, 2, Buffer.alloc(0));
  return parsed(ipv4({ ...FROM_TO, protocol: 17, payload, options: Uint8Array.from(options) })).sourceRouted;
}

test("source routes are seen, behind other options too; damaged options are none", (t) => {
  t.true(routed([131, 3, 4, 0]));
  t.true(routed([1, 137, 3, 4]));
  t.true(routed([7, 3, 4, 131, 3, 4, 0, 0]));
  t.false(routed([7, 3, 4, 0]));
  t.false(routed([0, 131, 3, 4]), "behind the end of the list");
  t.false(routed([7, 0, 131, 3]), "a length of 0 would go on for ever");
  t.false(routed([1, 1, 1, 7]), "a length beyond the header");
});

test("what is no packet says why", (t) => {
  const good = ipv4({ ...FROM_TO, protocol: 6, payload: Buffer.alloc(20) });
  const changed = (at: number, value: number): Buffer => {
    const bytes = Buffer.from(good);
    bytes[at] = value;
    return bytes;
  };
  t.deepEqual(parseIpv4(Buffer.alloc(0)), { problem: "0 bytes, fewer than an IPv4 header's 20" });
  t.deepEqual(parseIpv4(good.subarray(0, 19)), { problem: "19 bytes, fewer than an IPv4 header's 20" });
  t.deepEqual(parseIpv4(changed(0, 0x65)), { problem: "IP version 6, not 4" });
  t.deepEqual(parseIpv4(changed(0, 0x44)), { problem: "an IPv4 header of 16 bytes, fewer than 20" });
  t.deepEqual(parseIpv4(changed(3, 19)), {
    problem: "a total length of 19 bytes, fewer than its header's 20",
  });
  t.deepEqual(parseIpv4(changed(3, 41)), { problem: "a total length of 41 bytes, of which 40 came" });
  t.deepEqual(parseIpv4(changed(0, 0x4f)), {
    problem: "a total length of 40 bytes, fewer than its header's 60",
  });
});

test("what stands behind the packet is not part of it", (t) => {
  const bytes = ipv4({
    ...FROM_TO,
    protocol: 6,
    payload: tcp({ sourcePort: 1, destinationPort: 2, flags: 2 }),
  });
  t.deepEqual(parsed(Buffer.concat([bytes, Buffer.from("trailer")])), parsed(bytes));
});

test("odd flags are those that no connection has", (t) => {
  const odd = (flags: number): boolean =>
    hasOddFlags(
      parsed(ipv4({ ...FROM_TO, protocol: 6, payload: tcp({ sourcePort: 1, destinationPort: 2, flags }) })),
    );
  for (const usual of [0x02, 0x12, 0x10, 0x18, 0x11, 0x14, 0x04, 0xc2, 0x52, 0x38])
    t.false(odd(usual), `${usual}`);
  for (const scan of [0x00, 0x01, 0x29, 0x03, 0x06, 0x3f, 0x20, 0x08]) t.true(odd(scan), `${scan}`);
  t.false(hasOddFlags(parsed(ipv4({ ...FROM_TO, protocol: 17, payload: udp(1, 2, Buffer.alloc(0)) }))));
});

test("bytes of any kind give a packet within its bounds, or a reason", (t) => {
  const anything = fc.uint8Array({ maxLength: 200 });
  // Nearly all of those end at the version; these get further.
  const nearly = fc
    .tuple(
      fc.uint8Array({ minLength: 20, maxLength: 200 }),
      fc.integer({ min: 0x44, max: 0x48 }),
      fc.oneof(fc.nat(220), fc.constant(220)),
    )
    .map(([bytes, first, length]) => {
      bytes.set([first, 0, 0, Math.min(length, bytes.length)]);
      return bytes;
    });
  let packets = 0;
  fc.assert(
    fc.property(fc.oneof(anything, nearly), (bytes) => {
      const packet = parseIpv4(bytes);
      if ("problem" in packet) return packet.problem.length > 0;
      packets++;
      const { headerLength, payloadAt, length } = packet;
      return headerLength >= 20 && headerLength <= payloadAt && payloadAt <= length && length <= bytes.length;
    }),
    { numRuns: 5_000 },
  );
  t.true(packets > 500);
});

test("what was built is read back", (t) => {
  const address = fc.ipV4();
  const port = fc.integer({ min: 0, max: 65_535 });
  const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
  const options = fc.uint8Array({ maxLength: 10 }).map((bytes) => new Uint8Array(bytes.length * 4).fill(1));
  const fields = fc.record({
    source: address,
    destination: address,
    sourcePort: port,
    destinationPort: port,
    flags: fc.integer({ min: 0, max: 255 }),
    sequence: u32,
    acknowledgement: u32,
    options,
    data: fc.uint8Array({ maxLength: 100 }),
  });
  t.notThrows(() =>
    fc.assert(
      fc.property(fields, ({ source, destination, options: ipOptions, ...rest }) => {
        const bytes = ipv4({ source, destination, protocol: 6, options: ipOptions, payload: tcp(rest) });
        const packet = parsed(bytes);
        return (
          packet.source === source &&
          packet.destination === destination &&
          packet.sourcePort === rest.sourcePort &&
          packet.destinationPort === rest.destinationPort &&
          packet.tcpFlags === rest.flags &&
          packet.tcpSequence === rest.sequence &&
          packet.tcpAcknowledgement === rest.acknowledgement &&
          packet.length === bytes.length &&
          Buffer.compare(bytes.subarray(packet.payloadAt), rest.data) === 0
        );
      }),
      { numRuns: 500 },
    ),
  );
});
