import test from "ava";
import * as fc from "fast-check";
import type { AltNames } from "../../../src/x509/index.ts";
import { ipBytes, makeGeneralName, readGeneralNames } from "../../../src/x509/general-name.ts";
import { codeOf } from "./made.ts";
import { der } from "./writer.ts";

const read = (...names: readonly Uint8Array[]): AltNames => readGeneralNames(Buffer.concat(names), "x");

test("the four kinds are read by kind and order, others are counted", (t) => {
  const names = read(
    makeGeneralName({ dns: "b.plant" }),
    makeGeneralName({ uri: "urn:niac:device:x" }),
    makeGeneralName({ dns: "a.plant" }),
    makeGeneralName({ ip: "192.0.2.1" }),
    makeGeneralName({ email: "alice@plant.example" }),
    der(0xa0),
    der(0x88, Buffer.of(0x2a)),
  );
  t.deepEqual(names, {
    dns: ["b.plant", "a.plant"],
    ip: ["192.0.2.1"],
    uri: ["urn:niac:device:x"],
    email: ["alice@plant.example"],
    others: 2,
  });
});

test("IPv6 addresses come out in one form, whatever form they come in (RFC 5952)", (t) => {
  const forms: readonly (readonly [input: string, output: string])[] = [
    ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
    ["2001:db8::1", "2001:db8::1"],
    ["::", "::"],
    ["::1", "::1"],
    ["fe80::", "fe80::"],
    ["1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"],
    ["1:0:0:2:0:0:0:3", "1:0:0:2::3"],
    ["::ffff:192.0.2.1", "::ffff:c000:201"],
  ];
  for (const [input, output] of forms) t.deepEqual(read(makeGeneralName({ ip: input })).ip, [output], input);
});

test("any address is written and read back the same", (t) => {
  fc.assert(fc.property(fc.ipV4(), (ip) => read(makeGeneralName({ ip })).ip[0] === ip));
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
      const [ip = ""] = read(der(0x87, bytes)).ip;
      return ipBytes(ip).equals(bytes);
    }),
  );
  t.pass();
});

test("what is no name is refused", (t) => {
  for (const ip of ["", "plant", "1.2.3", "1.2.3.256", "fe80::1%eth0", "2001:db8::1/64", ":::"]) {
    t.is(
      codeOf(() => makeGeneralName({ ip })),
      "ip-address",
      ip,
    );
  }
  t.is(
    codeOf(() => makeGeneralName({ dns: "mühle.plant" })),
    "text",
  );
  t.is(
    codeOf(() => makeGeneralName({ uri: "urn:a\0b" })),
    "text",
  );
  const bad = {
    "five bytes of address": der(0x87, Buffer.alloc(5)),
    "no address": der(0x87),
    "a name beyond ASCII": der(0x82, Buffer.of(0xfc)),
    "a name with NUL": der(0x82, Buffer.from("a.plant\0.b")),
    "a URI with a line break": der(0x86, Buffer.from("urn:a\r\nb")),
    "an e-mail address with DEL": der(0x81, Buffer.from("a\x7f")),
    "an empty name": der(0x82),
    "an unknown kind": der(0x89),
    "a constructed kind": der(0xa2, Buffer.from("a")),
  };
  for (const [label, name] of Object.entries(bad)) {
    t.is(
      codeOf(() => read(name)),
      "general-name",
      label,
    );
  }
});
