import test from "ava";
import * as fc from "fast-check";
import {
  containsNetwork,
  dnsName,
  host,
  ipAddress,
  network,
  readEndpoint,
  readNetwork,
} from "../../../src/site/network.ts";

test("addresses have one form", (t) => {
  t.is(ipAddress("2001:DB8:0:0::1"), "2001:db8::1");
  t.is(ipAddress("192.0.2.1"), "192.0.2.1");
  for (const bad of [
    "192.0.2",
    "192.0.2.256",
    "010.0.0.1",
    "fe80::1%eth0",
    "::ffff:192.0.2.1",
    "1",
    "x",
    "",
  ]) {
    t.is(ipAddress(bad), null, bad);
  }
});

test("DNS names are lower case; what looks like an address is none", (t) => {
  t.is(dnsName("Box-3.Plant-7.example"), "box-3.plant-7.example");
  t.is(dnsName(`${"a".repeat(63)}.b`), `${"a".repeat(63)}.b`);
  for (const bad of [
    "",
    ".",
    "a..b",
    "-a",
    "a-",
    "a_b",
    `${"a".repeat(64)}.b`,
    "1.2.3.4",
    "a.1",
    "a.".repeat(127),
  ]) {
    t.is(dnsName(bad), null, bad);
  }
  t.is(host("10.0.0.1"), "10.0.0.1");
  t.is(host("10.0.0.256"), null);
});

test("host and port", (t) => {
  t.deepEqual(readEndpoint("192.0.2.10:1502", 502), { value: { host: "192.0.2.10", port: 1502 } });
  t.deepEqual(readEndpoint("192.0.2.10", 502), { value: { host: "192.0.2.10", port: 502 } });
  t.deepEqual(readEndpoint("[2001:db8::1]", 502), { value: { host: "2001:db8::1", port: 502 } });
  t.deepEqual(readEndpoint("PLC.example:65535", null), { value: { host: "plc.example", port: 65_535 } });
  for (const bad of [
    "192.0.2.10:0",
    "192.0.2.10:65536",
    "192.0.2.10:",
    ":502",
    "2001:db8::1",
    "[192.0.2.1]:502",
    "a b:1",
    502,
  ]) {
    t.true("mistake" in readEndpoint(bad, 502), String(bad));
  }
  t.true("mistake" in readEndpoint("192.0.2.10", null));
});

test("networks in CIDR form; bits beyond the prefix are put right", (t) => {
  t.deepEqual(readNetwork("10.1.0.0/16"), { value: "10.1.0.0/16" });
  t.deepEqual(readNetwork("10.1.2.3"), { value: "10.1.2.3/32" });
  t.deepEqual(readNetwork("2001:DB8::/32"), { value: "2001:db8::/32" });
  t.deepEqual(readNetwork("::1"), { value: "::1/128" });
  t.deepEqual(readNetwork("0.0.0.0/0"), { value: "0.0.0.0/0" });
  t.like(readNetwork("10.1.2.3/16"), { mistake: { suggestion: "10.1.0.0/16" } });
  t.like(readNetwork("2001:db8:ffff::/33"), { mistake: { suggestion: "2001:db8:8000::/33" } });
  for (const bad of [
    "10.0.0.0/33",
    "::/129",
    "10.0.0.0/",
    "10.0.0.0/08",
    "10.0.0.0/8/8",
    "box.example",
    10,
  ]) {
    t.true("mistake" in readNetwork(bad), String(bad));
  }
});

/** First and last address. */
function span(text: string): readonly [bigint, bigint] {
  const { value, prefix, bits } = network(text)!;
  return [value, value + (1n << BigInt(bits - prefix)) - 1n];
}

test("a network contains another exactly where it holds its first and last address", (t) => {
  const octets = fc.tuple(fc.constantFrom(10, 11), fc.nat(3), fc.nat(3), fc.nat(255));
  const made = fc.tuple(octets, fc.integer({ min: 0, max: 32 })).map(([address, prefix]) => {
    const reading = readNetwork(`${address.join(".")}/${prefix}`);
    return "value" in reading ? reading.value : (reading.mistake.suggestion ?? "");
  });
  fc.assert(
    fc.property(made, made, (outer, inner) => {
      const [first, last] = span(outer);
      const [from, to] = span(inner);
      t.is(
        containsNetwork(network(outer)!, network(inner)!),
        first <= from && to <= last,
        `${outer} ${inner}`,
      );
    }),
  );
  t.false(containsNetwork(network("0.0.0.0/0")!, network("::/0")!));
});
