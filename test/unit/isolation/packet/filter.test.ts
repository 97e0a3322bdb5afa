import test from "ava";
import * as fc from "fast-check";
import { arpFilter, deviceFilter, MAX_KNOWN } from "../../../../src/isolation/packet/filter.ts";
import { runBpf } from "./bpf.ts";
import { frame, ipv4, udp } from "./build.ts";

const KNOWN = "00:1b:1b:00:00:04";
const UNKNOWN = "00:1b:1b:00:01:04";
const APPLIANCE = "02:00:00:00:00:01";
const ALL = "ff:ff:ff:ff:ff:ff";

const packet = ipv4({
  source: "10.20.0.50",
  destination: "10.20.0.9",
  protocol: 17,
  payload: udp(1, 2, Buffer.alloc(0)),
});
const multicast = ipv4({
  source: "10.20.0.50",
  destination: "224.0.0.251",
  protocol: 17,
  payload: udp(1, 2, Buffer.alloc(0)),
});

function text(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}

function heard(filter: Buffer, bytes: Uint8Array, vlanTag = 0): boolean {
  const accepted = runBpf(filter, bytes, vlanTag);
  if (accepted !== 0 && accepted < bytes.length) throw new Error("frames are handed over cut off");
  return accepted !== 0;
}

test("plain IPv4 of a known station is left out, and nothing else", (t) => {
  const filter = deviceFilter([KNOWN]);
  t.false(heard(filter, frame(APPLIANCE, KNOWN, 0x0800, packet)));
  t.true(heard(filter, frame(APPLIANCE, UNKNOWN, 0x0800, packet)));
  t.true(heard(filter, frame(ALL, KNOWN, 0x0800, packet)), "broadcast");
  t.true(heard(filter, frame("01:00:5e:00:00:fb", KNOWN, 0x0800, multicast)), "multicast");
  t.true(heard(filter, frame(APPLIANCE, KNOWN, 0x0800, multicast)), "multicast in a frame to one station");
  t.true(heard(filter, frame(ALL, KNOWN, 0x0806, Buffer.alloc(46))), "ARP");
  t.true(heard(filter, frame(APPLIANCE, KNOWN, 0x86dd, Buffer.alloc(46))), "IPv6");
  t.true(heard(filter, frame(APPLIANCE, KNOWN, 100, Buffer.alloc(100))), "LLC");
  t.true(heard(filter, frame(APPLIANCE, KNOWN, 0x0800, packet.subarray(0, 19))), "too short for IPv4");
});

test("a tag taken off by the kernel is seen where it names a VLAN", (t) => {
  const plain = frame(APPLIANCE, KNOWN, 0x0800, packet);
  t.true(heard(deviceFilter([KNOWN]), plain, 0x000c));
  t.true(heard(deviceFilter([KNOWN]), plain, 0xe001));
  t.false(heard(deviceFilter([KNOWN]), plain, 0xe000), "priority alone");
  t.true(
    heard(deviceFilter([KNOWN]), frame(APPLIANCE, KNOWN, 0x0800, packet, [[0x8100, 12]]), 5),
    "two tags",
  );
});

test("with nobody known, everybody is heard; with more than a program holds, only what is no plain IPv4", (t) => {
  const plain = frame(APPLIANCE, KNOWN, 0x0800, packet);
  t.true(heard(deviceFilter([]), plain));
  const macs = Array.from(
    { length: MAX_KNOWN + 1 },
    (_, i) => `02:00:00:00:${text(Uint8Array.of(i >> 8, i & 255))}`,
  );
  t.false(heard(deviceFilter(macs), plain));
  t.true(heard(deviceFilter(macs), frame(ALL, KNOWN, 0x0806, Buffer.alloc(46))));
  t.true(heard(deviceFilter(macs.slice(1)), plain));
});

test("known stations are found among as many as a program holds, alike or not", (t) => {
  const octets = fc.uint8Array({ minLength: 6, maxLength: 6 }).map((bytes) => bytes.fill(0x02, 0, 1));
  // The same first four octets again and again, so that all of the search is used.
  const alike = octets.map((bytes) => bytes.fill(7, 1, 4));
  const lists = fc.uniqueArray(fc.oneof(octets, alike).map(text), { maxLength: 60 });
  fc.assert(
    fc.property(lists, fc.oneof(octets, alike).map(text), (known, other) => {
      const filter = deviceFilter(known);
      const knows = (mac: string): boolean => !heard(filter, frame(APPLIANCE, mac, 0x0800, packet));
      return known.every(knows) && knows(other) === known.includes(other);
    }),
  );
  const most = Array.from({ length: MAX_KNOWN }, (_, i) =>
    text(Uint8Array.of(2, 0, i >> 8, i & 255, i & 255, i >> 8)),
  );
  const filter = deviceFilter(most);
  t.true(filter.length / 8 <= 4_096);
  for (const mac of most) t.false(heard(filter, frame(APPLIANCE, mac, 0x0800, packet)), mac);
  for (const mac of [KNOWN, "00:00:00:00:00:00", ALL, "02:00:00:00:00:01"])
    t.true(heard(filter, frame(APPLIANCE, mac, 0x0800, packet)), mac);
});

test("MACs above half of the number space are compared without sign", (t) => {
  const filter = deviceFilter(["fe:ff:ff:ff:ff:ff", "02:00:00:00:00:02", "82:00:00:00:00:03"]);
  for (const mac of ["fe:ff:ff:ff:ff:ff", "82:00:00:00:00:03"])
    t.false(heard(filter, frame(APPLIANCE, mac, 0x0800, packet)));
  t.true(heard(filter, frame(APPLIANCE, "fe:ff:ff:ff:ff:fe", 0x0800, packet)));
});

test("on the uplink ARP alone is heard, and none of a VLAN", (t) => {
  const arp = frame(ALL, KNOWN, 0x0806, Buffer.alloc(46));
  t.true(heard(arpFilter(), arp));
  t.true(heard(arpFilter(), arp, 0xe000));
  t.false(heard(arpFilter(), arp, 12));
  t.false(heard(arpFilter(), frame(ALL, KNOWN, 0x0800, packet)));
  t.false(heard(arpFilter(), frame(ALL, KNOWN, 0x0806, Buffer.alloc(46), [[0x8100, 12]])));
  t.false(heard(arpFilter(), arp.subarray(0, 13)));
});

test("frames of any kind end a program with an answer", (t) => {
  const filters = [arpFilter(), deviceFilter([]), deviceFilter([KNOWN, UNKNOWN])];
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(65_535), (bytes, tag) => {
        for (const filter of filters) heard(filter, bytes, tag);
      }),
    ),
  );
});
