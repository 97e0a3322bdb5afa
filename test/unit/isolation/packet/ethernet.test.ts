import test from "ava";
import * as fc from "fast-check";
import { parseFrame } from "../../../../src/isolation/packet/ethernet.ts";
import { frame, ipv4, udp } from "./build.ts";

const STATION = "00:1b:1b:00:00:04";
const OTHER = "02:00:00:00:00:01";
const ALL = "ff:ff:ff:ff:ff:ff";

function what(
  destination: string,
  type: number,
  payload: number[] | Uint8Array,
  tags: [number, number][] = [],
): string {
  return parseFrame(frame(destination, STATION, type, Uint8Array.from(payload), tags))?.what ?? "no frame";
}

function packet(destination: string, port = 9): Buffer {
  return ipv4({ source: "10.20.0.50", destination, protocol: 17, payload: udp(68, port, Buffer.alloc(0)) });
}

/** `next`: next header; `payload` behind the 40 bytes. */
function ipv6(next: number, payload: number[]): number[] {
  return [0x60, 0, 0, 0, 0, payload.length, next, 255, ...Buffer.alloc(32), ...payload];
}

test("addresses, type and payload of an untagged frame", (t) => {
  t.deepEqual(parseFrame(frame(OTHER, STATION, 0x0800, packet("10.20.0.1"))), {
    source: STATION,
    destination: OTHER,
    etherType: 0x0800,
    tags: [],
    address: "10.20.0.50",
    what: "IPv4",
    payloadAt: 14,
  });
});

test("one tag, two tags, and a tag for priority alone", (t) => {
  const one = parseFrame(frame(OTHER, STATION, 0x0800, packet("10.20.0.1"), [[0x8100, 0xe00c]]));
  t.like(one, { etherType: 0x0800, tags: [12], what: "802.1Q tag 12", payloadAt: 18, address: "10.20.0.50" });
  const two = parseFrame(
    frame(ALL, STATION, 0x0806, Buffer.alloc(28), [
      [0x88a8, 5],
      [0x8100, 0x0fff],
    ]),
  );
  t.like(two, { etherType: 0x0806, tags: [5, 4_095], what: "802.1ad tag 5, 802.1Q tag 4095", payloadAt: 22 });
  t.is(what(ALL, 0x8892, [0xfe, 0xfe], [[0x8100, 0xc000]]), "PROFINET DCP");
  t.is(
    what(ALL, 0x0800, packet("10.20.0.1"), [
      [0x8100, 0],
      [0x8100, 0],
    ]),
    "802.1Q tag 0, 802.1Q tag 0",
  );
});

test("tags without end are not followed without end", (t) => {
  const tags = Array.from({ length: 100 }, (_, i): [number, number] => [0x8100, i + 1]);
  t.like(parseFrame(frame(ALL, STATION, 0x0800, packet("10.20.0.1"), tags)), {
    tags: [1, 2, 3, 4],
    etherType: 0x8100,
  });
  t.like(parseFrame(frame(ALL, STATION, 0x8100, Buffer.from([0, 1, 8]))), { tags: [], etherType: 0x8100 });
});

test("what the frames of a plant are called", (t) => {
  t.is(what(ALL, 0x0806, []), "ARP");
  t.is(what("01:80:c2:00:00:0e", 0x88cc, []), "LLDP");
  t.is(what("01:15:4e:00:00:01", 0x88e3, []), "MRP");
  t.is(what("01:0e:cf:00:00:00", 0x8892, [0xfe, 0xfe]), "PROFINET DCP");
  t.is(what("01:0e:cf:00:00:00", 0x8892, [0xfe, 0xfb]), "PROFINET");
  t.is(what("01:0e:cf:00:00:00", 0x8892, []), "PROFINET");
  t.is(what(ALL, 0x88a4, []), "EtherCAT");
  t.is(what("01:1b:19:00:00:00", 0x88f7, []), "PTP");
  t.is(what("01:0c:cd:01:00:00", 0x88b8, []), "GOOSE");
  t.is(what("01:80:c2:00:00:03", 0x888e, []), "802.1X");
  t.is(what(ALL, 0x1234, []), "EtherType 0x1234");
});

test("frames with a length: STP, CDP and others by their LLC and SNAP numbers", (t) => {
  t.is(what("01:80:c2:00:00:00", 38, [0x42, 0x42, 3, 0, 0]), "STP");
  t.is(what("01:00:0c:cc:cc:cc", 100, [0xaa, 0xaa, 3, 0, 0, 0x0c, 0x20, 0x00, 2]), "CDP");
  t.is(what("01:00:0c:cc:cc:cd", 50, [0xaa, 0xaa, 3, 0, 0, 0x0c, 0x01, 0x0b, 0]), "PVST+");
  t.is(what(ALL, 50, [0xaa, 0xaa, 3, 0, 0, 0x0c, 0x99, 0x99]), "SNAP 00000c:9999");
  t.is(what(ALL, 5, [0xaa, 0xaa, 3, 0, 0]), "LLC 0xaa");
  t.is(what(ALL, 3, [0xe0, 0xe0, 3]), "IPX");
  t.is(what(ALL, 0, []), "empty frame");
  t.is(parseFrame(frame(ALL, STATION, 0x5dc, Buffer.from([0x42])))?.etherType, -1);
  t.is(what(ALL, 0x5dd, []), "EtherType 0x05dd", "no length any more");
});

test("IPv4 by where it goes", (t) => {
  t.is(what(OTHER, 0x0800, packet("10.20.0.1")), "IPv4");
  t.is(what("01:00:5e:01:01:01", 0x0800, packet("239.1.1.1")), "IPv4 multicast 239.1.1.1");
  t.is(what(OTHER, 0x0800, packet("239.1.1.1")), "IPv4 multicast 239.1.1.1");
  t.is(what(ALL, 0x0800, packet("10.20.0.255")), "IPv4 broadcast");
  t.is(what(OTHER, 0x0800, packet("255.255.255.255")), "IPv4 broadcast");
  t.is(what(ALL, 0x0800, packet("255.255.255.255", 67)), "DHCP");
  t.is(what(ALL, 0x0800, packet("10.20.0.1").subarray(0, 19)), "IPv4, malformed");
  t.is(parseFrame(frame(ALL, STATION, 0x0800, packet("10.20.0.1").subarray(0, 19)))?.address, null);
});

test("IPv6 by what it says", (t) => {
  t.is(what(ALL, 0x86dd, ipv6(58, [134, 0])), "IPv6 router advertisement");
  t.is(what(ALL, 0x86dd, ipv6(58, [135, 0])), "IPv6 neighbour solicitation");
  t.is(what(ALL, 0x86dd, ipv6(58, [99, 0])), "IPv6 ICMP");
  t.is(what(ALL, 0x86dd, ipv6(0, [58, 0, 5, 2, 0, 0, 1, 0, 143, 0])), "IPv6 multicast listener report");
  t.is(what(ALL, 0x86dd, ipv6(17, [2, 0x22, 2, 0x23])), "IPv6 DHCP");
  t.is(what(ALL, 0x86dd, ipv6(17, [2, 0x22, 0, 1])), "IPv6");
  t.is(what(ALL, 0x86dd, ipv6(6, [])), "IPv6");
  t.is(what(ALL, 0x86dd, ipv6(0, [58, 255])), "IPv6", "a hop-by-hop header longer than the frame");
  t.is(what(ALL, 0x86dd, [0x60, 0, 0]), "IPv6, malformed");
});

test("fewer bytes than a header are no frame", (t) => {
  const whole = frame(ALL, STATION, 0x0806, Buffer.alloc(0));
  t.is(parseFrame(whole.subarray(0, 13)), null);
  t.is(parseFrame(whole)?.what, "ARP");
  t.is(parseFrame(Buffer.alloc(0)), null);
});

test("bytes of any kind are called something short that a terminal may show", (t) => {
  const types = fc.constantFrom(0x0800, 0x0806, 0x86dd, 0x8100, 0x88a8, 0x8892, 0x0026, 0x1234);
  const frames = fc
    .tuple(types, fc.uint8Array({ maxLength: 120 }))
    .map(([type, payload]) => frame(ALL, STATION, type, payload));
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.oneof(frames, fc.uint8Array({ maxLength: 100 })), (bytes) => {
        const read = parseFrame(bytes);
        return read === null
          ? bytes.length < 14
          : /^[\w .,():+-]{3,80}$/.test(read.what) && read.payloadAt <= bytes.length;
      }),
      { numRuns: 3_000 },
    ),
  );
});
