import test from "ava";
import { PeerError } from "../../../src/base/index.ts";
import { readCertificate } from "../../../src/x509/certificate.ts";
import { certificate, der, extension, int, name, OID, oid, seq, set, utf8, type Parts } from "./writer.ts";

/** The error's code, or "accepted". */
const outcome = (parts: Parts): string => {
  try {
    readCertificate(certificate(parts));
    return "accepted";
  } catch (error) {
    if (error instanceof PeerError) return error.code;
    throw error;
  }
};

const serial = (...bytes: readonly number[]): string =>
  readCertificate(certificate({ serial: int(...bytes) })).serialNumber;

test("serial numbers are read as their bytes, negative and endless ones refused", (t) => {
  t.is(serial(0), "00");
  t.is(serial(0x0a), "0a");
  t.is(serial(0x00, 0xff, 0x01), "ff01");
  t.is(serial(...Array<number>(21).fill(1)), "01".repeat(21));
  t.is(outcome({ serial: int(...Array<number>(22).fill(1)) }), "serial-number");
  t.is(outcome({ serial: int(0xff) }), "der-integer");
  t.is(outcome({ serial: int() }), "der-integer");
  t.is(outcome({ serial: int(0, 1) }), "der-integer");
});

test("version 3 is read; 1 and 2 spelled out are refused", (t) => {
  t.is(outcome({}), "accepted");
  t.is(outcome({ version: der(0xa0, int(1)) }), "version");
  t.is(outcome({ version: der(0xa0, int(0)) }), "version");
  t.is(outcome({ version: der(0xa0, int(3)) }), "version");
  t.is(outcome({ version: der(0xa0, int(2), int(2)) }), "trailing-bytes");
  // Version 1 has no extensions.
  t.is(outcome({ version: Buffer.of() }), "trailing-bytes");
});

test("extensions keep their order, value and criticality", (t) => {
  const { extensions } = readCertificate(
    certificate({ extensions: [extension("1.2.3", Buffer.of(1, 2), true), extension("1.2.4", Buffer.of())] }),
  );
  t.deepEqual(
    extensions.map(({ oid: type, critical, value }) => [type, critical, [...value]]),
    [
      ["1.2.3", true, [1, 2]],
      ["1.2.4", false, []],
    ],
  );
  t.is(outcome({ extensions: [seq(oid("1.2.3"))] }), "truncated");
  t.is(outcome({ extensions: [seq(oid("1.2.3"), der(0x01, Buffer.of(1)), der(0x04))] }), "der-boolean");
  t.is(outcome({ extensions: [seq(oid("1.2.3"), der(0x04), der(0x05))] }), "trailing-bytes");
});

test("names keep every attribute; empty and overfull ones are refused", (t) => {
  const { subject } = readCertificate(
    certificate({ subject: name([OID.o, utf8("a")], [OID.cn, utf8("b")]) }),
  );
  t.deepEqual(
    subject.map((rdn) => rdn.map(({ type }) => type)),
    [[OID.o], [OID.cn]],
  );
  t.is(outcome({ subject: seq(set()) }), "truncated");
  t.is(outcome({ subject: seq(set(seq(oid(OID.cn)))) }), "truncated");
  t.is(outcome({ subject: seq(set(seq(oid(OID.cn), utf8("a"), utf8("b")))) }), "trailing-bytes");
  t.is(outcome({ subject: set() }), "der-tag");
});

test("unique ids are passed over in their order", (t) => {
  const ids = [der(0x81, Buffer.of(0, 1)), der(0x82, Buffer.of(0, 1))];
  t.is(outcome({ uniqueIds: ids }), "accepted");
  t.is(outcome({ uniqueIds: ids.toReversed() }), "trailing-bytes");
});
