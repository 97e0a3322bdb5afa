import test from "ava";
import * as fc from "fast-check";
import {
  contains,
  ipv4Number,
  ipv4Text,
  readInterface,
  readIpv4,
  readStation,
  subnetOf,
} from "../../../src/site/ipv4.ts";
import type { Reading } from "../../../src/site/scalar.ts";

function messageOf(reading: Reading<unknown>): string | null {
  return "mistake" in reading ? reading.mistake.message : null;
}

const address = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255)).map((parts) => parts.join("."));

test("an address and its number are one", (t) => {
  fc.assert(fc.property(address, (text) => t.is(ipv4Text(ipv4Number(text)), text)));
  t.is(ipv4Number("255.255.255.255"), 2 ** 32 - 1);
});

test("a subnet holds its address and ends where the next begins", (t) => {
  fc.assert(
    fc.property(address, fc.integer({ min: 0, max: 32 }), (text, prefix) => {
      const subnet = subnetOf(text, prefix);
      t.true(contains(subnet, text));
      t.is(subnet.end - subnet.start + 1, 2 ** (32 - prefix));
      t.is(subnet.start % 2 ** (32 - prefix), 0);
    }),
  );
});

test("addresses beside those no station has are taken", (t) => {
  for (const text of ["1.0.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255", "169.254.1.1"]) {
    t.deepEqual(readStation(text), { value: text });
  }
});

test("addresses no station has are refused, each with its reason", (t) => {
  t.is(messageOf(readStation("0.255.255.255")), "0.255.255.255 is in 0.0.0.0/8, which no station has");
  t.is(messageOf(readStation("127.255.255.255")), "127.255.255.255 is a loopback address");
  t.is(
    messageOf(readStation("198.18.0.0")),
    "198.18.0.0 is one of the appliance's inner addresses (198.18.0.0/15)",
  );
  t.is(
    messageOf(readStation("198.19.255.255")),
    "198.19.255.255 is one of the appliance's inner addresses (198.18.0.0/15)",
  );
  t.is(messageOf(readStation("224.0.0.0")), "224.0.0.0 is a multicast address");
  t.is(messageOf(readStation("239.255.255.255")), "239.255.255.255 is a multicast address");
  t.is(messageOf(readStation("240.0.0.0")), "240.0.0.0 is a broadcast or reserved address");
  for (const input of [
    "",
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.256",
    "01.2.3.4",
    " 1.2.3.4",
    "1.2.3.4/32",
    16_909_060,
    null,
  ]) {
    t.regex(messageOf(readStation(input)) ?? "", /is no IPv4 address/);
  }
  t.deepEqual(readIpv4("127.0.0.53"), { value: "127.0.0.53" });
});

test("the device port's address: of a station, with a prefix from /8 to /30", (t) => {
  t.deepEqual(readInterface("192.168.77.1/24"), { value: { address: "192.168.77.1", prefix: 24 } });
  t.deepEqual(readInterface("10.255.255.254/8"), { value: { address: "10.255.255.254", prefix: 8 } });
  t.deepEqual(readInterface("10.0.0.1/30"), { value: { address: "10.0.0.1", prefix: 30 } });
  t.is(messageOf(readInterface("10.0.0.1/7")), "the prefix /7 is outside /8../30");
  t.is(messageOf(readInterface("10.0.0.1/31")), "the prefix /31 is outside /8../30");
  t.is(messageOf(readInterface("10.0.0.0/30")), "10.0.0.0 names the subnet itself");
  t.is(messageOf(readInterface("10.0.0.3/30")), "10.0.0.3 is the subnet's broadcast address");
  t.is(messageOf(readInterface("127.0.0.1/8")), "127.0.0.1 is a loopback address");
  t.is(
    messageOf(readInterface("198.0.0.1/8")),
    "the subnet of 198.0.0.1/8 reaches into the appliance's inner addresses (198.18.0.0/15)",
  );
  for (const input of ["10.0.0.1", "10.0.0.1/024", "10.0.0.1/", "10.0.0/24", "fe80::1/64", 10, null]) {
    t.regex(messageOf(readInterface(input)) ?? "", /is no address with a prefix/);
  }
});
