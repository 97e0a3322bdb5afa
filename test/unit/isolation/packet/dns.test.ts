import test from "ava";
import * as fc from "fast-check";
import { queriedName, queryName } from "../../../../src/isolation/packet/dns.ts";
import { parseIpv4 } from "../../../../src/isolation/packet/ipv4.ts";
import { dnsQuery, ipv4, tcp, udp } from "./build.ts";

test("the name that is asked for, in lower case", (t) => {
  t.is(queryName(dnsQuery(["Cloud", "vendor", "EXAMPLE"])), "cloud.vendor.example");
  t.is(queryName(dnsQuery(["printer"])), "printer");
  t.is(queryName(dnsQuery([])), ".");
});

/** Of a packet with more bytes behind it than it has itself. */
function nameIn(protocol: number, payload: Uint8Array): string | null {
  const packet = ipv4({ source: "10.20.0.50", destination: "8.8.8.8", protocol, payload });
  const bytes = Buffer.concat([packet, Buffer.from("behind the packet")]);
  const parsed = parseIpv4(bytes);
  if ("problem" in parsed) throw new Error(parsed.problem);
  return queriedName(parsed, bytes);
}

test("only of UDP to port 53", (t) => {
  const message = dnsQuery(["a", "example"]);
  t.is(nameIn(17, udp(5_000, 53, message)), "a.example");
  t.is(nameIn(17, udp(53, 5_000, message)), null);
  t.is(nameIn(17, udp(5_000, 53, message).subarray(0, 6)), null);
  t.is(nameIn(6, tcp({ sourcePort: 5_000, destinationPort: 53, flags: 0x18, data: message })), null);
});

test("bytes that a terminal would obey, and dots inside a label, are shown as what they are", (t) => {
  t.is(queryName(dnsQuery(["\u001b[2J", "example"])), "\\u{1b}[2j.example");
  t.is(queryName(dnsQuery(["a.b", "example"])), "a\\u{2e}b.example");
  t.is(queryName(dnsQuery(["a\\b"])), "a\\\\b");
  t.is(queryName(dnsQuery([Uint8Array.of(0xff, 0x00)])), "ÿ\\u{0}");
});

test("labels of 63 bytes and names of 255 are the longest", (t) => {
  const label = "x".repeat(63);
  t.is(queryName(dnsQuery([label])), label);
  t.is(queryName(dnsQuery(["x".repeat(64)])), null);
  const longest = [label, label, label, "y".repeat(61)];
  t.is(queryName(dnsQuery(longest)), longest.join("."));
  t.is(queryName(dnsQuery([label, label, label, "y".repeat(62)])), null);
});

test("a response, another opcode, no question, a pointer and everything cut off are nothing", (t) => {
  const good = dnsQuery(["a", "example"]);
  const changed = (at: number, value: number): Buffer => {
    const bytes = Buffer.from(good);
    bytes[at] = value;
    return bytes;
  };
  t.is(queryName(changed(2, 0x81)), null);
  t.is(queryName(changed(2, 0x29)), null);
  t.is(queryName(changed(5, 0)), null);
  t.is(queryName(changed(12, 0xc0)), null, "a pointer to the header");
  t.is(queryName(changed(12, 0x41)), null, "a label of no kind there is");
  for (let length = 0; length < good.length; length++)
    t.is(queryName(good.subarray(0, length)), null, `${length} bytes`);
  t.is(queryName(Buffer.concat([good, Buffer.from("additional records")])), "a.example");
});

test("bytes of any kind give a printable name of at most 255 characters, or nothing", (t) => {
  const labels = fc.array(fc.uint8Array({ minLength: 1, maxLength: 63 }), { maxLength: 5 });
  const messages = fc.oneof(fc.uint8Array({ maxLength: 300 }), labels.map(dnsQuery));
  let names = 0;
  fc.assert(
    fc.property(messages, (message) => {
      const name = queryName(message);
      if (name === null) return true;
      names++;
      return name.length > 0 && name.length <= 255 && /^[\p{L}\p{N}\p{P}\p{S} ]+$/u.test(name);
    }),
    { numRuns: 2_000 },
  );
  t.true(names > 200);
});
