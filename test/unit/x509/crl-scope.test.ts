import test from "ava";
import * as x509 from "../../../src/x509/index.ts";
import { code, withExtensions } from "./lists.ts";
import { bits, der, extension, seq, TRUE } from "./writer.ts";

const point = (...fields: readonly Uint8Array[]): Buffer =>
  extension(x509.EXTENSION.issuingDistributionPoint, seq(...fields), true);
const scopeOf = (...fields: readonly Uint8Array[]): x509.IssuingDistributionPoint | null =>
  x509.readCrl(withExtensions(point(...fields))).issuingDistributionPoint;

const yes = (tag: number): Buffer => der(tag, Buffer.of(0xff));

test("the scope of a list is told: kinds of certificates, reasons, where it is to be had", (t) => {
  const none = { dns: [], ip: [], uri: [], email: [], others: 0 };
  const whole = {
    onlyUser: false,
    onlyCa: false,
    onlyAttribute: false,
    indirect: false,
    onlySomeReasons: false,
    names: none,
  };
  const uri = der(0xa0, der(0xa0, der(0x86, Buffer.from("http://a/b.crl"))));
  t.deepEqual(scopeOf(), whole);
  t.deepEqual(scopeOf(yes(0x81)), { ...whole, onlyUser: true });
  t.deepEqual(scopeOf(yes(0x82)), { ...whole, onlyCa: true });
  t.deepEqual(scopeOf(yes(0x85)), { ...whole, onlyAttribute: true });
  t.deepEqual(scopeOf(yes(0x84)), { ...whole, indirect: true });
  t.deepEqual(scopeOf(der(0x83, Buffer.of(6, 0x40))), { ...whole, onlySomeReasons: true });
  t.deepEqual(scopeOf(uri, yes(0x81)), {
    ...whole,
    onlyUser: true,
    names: { ...none, uri: ["http://a/b.crl"] },
  });
  t.deepEqual(scopeOf(der(0xa0, der(0xa1, seq()))), { ...whole, names: { ...none, others: 1 } });
  for (const bad of [
    point(yes(0x81), yes(0x82)),
    point(yes(0x82), uri),
    point(der(0x81, Buffer.of(1))),
    point(der(0x83, Buffer.of(9))),
    point(der(0xa0, der(0xa2))),
    point(TRUE),
    extension(x509.EXTENSION.issuingDistributionPoint, bits(0, Buffer.of(1)), true),
  ]) {
    t.is(code(withExtensions(bad)), "crl-malformed", bad.toString("hex"));
  }
});
