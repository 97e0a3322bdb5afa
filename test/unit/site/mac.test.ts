import test from "ava";
import * as fc from "fast-check";
import { MAC_PATTERN, readMac } from "../../../src/site/mac.ts";
import type { Reading } from "../../../src/site/scalar.ts";

function messageOf(reading: Reading<unknown>): string | null {
  return "mistake" in reading ? reading.mistake.message : null;
}

const octets = fc
  .array(fc.nat(255), { minLength: 6, maxLength: 6 })
  .filter(
    ([first = 1, ...rest]) => first % 2 === 0 && first + rest.reduce((sum, octet) => sum + octet, 0) > 0,
  )
  .map((numbers) => numbers.map((octet) => octet.toString(16).padStart(2, "0")));

test("three forms, in either case, are one address", (t) => {
  fc.assert(
    fc.property(octets, (parts) => {
      const canonical = parts.join(":");
      const dotted = [parts.slice(0, 2), parts.slice(2, 4), parts.slice(4)]
        .map((pair) => pair.join(""))
        .join(".");
      for (const text of [
        canonical,
        parts.join("-"),
        dotted,
        canonical.toUpperCase(),
        dotted.toUpperCase(),
      ]) {
        t.deepEqual(readMac(text), { value: canonical });
        t.regex(text, new RegExp(MAC_PATTERN));
      }
    }),
  );
});

test("group addresses, zero and anything else are refused", (t) => {
  t.is(
    messageOf(readMac("01:00:5e:00:00:01")),
    "01:00:5e:00:00:01 is a multicast MAC address: no station has it",
  );
  t.is(
    messageOf(readMac("FF-FF-FF-FF-FF-FF")),
    "FF-FF-FF-FF-FF-FF is a multicast MAC address: no station has it",
  );
  t.is(messageOf(readMac("0000.0000.0000")), "0000.0000.0000 is no station's MAC address");
  for (const input of [
    "",
    "00:1b:1b:03:21",
    "00:1b:1b:03:21:7a:00",
    "00:1b-1b:03:21:7a",
    "0:1b:1b:3:21:7a",
    "00:1b:1b:03:21:7g",
    1,
    null,
  ]) {
    t.regex(messageOf(readMac(input)) ?? "", /is no MAC address$/);
  }
});

test("digits without marks between them are shown with them", (t) => {
  t.like(readMac("001B1B03217A"), { mistake: { suggestion: "00:1b:1b:03:21:7a" } });
});
