import test from "ava";
import * as fc from "fast-check";
import { decodeNtp, encodeNtp, millisecondsBetween, shifted } from "../../../src/gateway/ntp-packet.ts";

const WIRE =
  "e302fae9000001000000020047505300" +
  "83aa7e8040000000" +
  "0102030405060708" +
  "1112131415161718" +
  "ffffffffffffffff";

test("a packet, field by field", (t) => {
  t.deepEqual(decodeNtp(Buffer.from(WIRE, "hex")), {
    leap: 3,
    version: 4,
    mode: 3,
    stratum: 2,
    poll: -6,
    precision: -23,
    rootDelay: 0x100,
    rootDispersion: 0x200,
    reference: 0x47505300,
    referenceTime: 0x83aa7e8040000000n,
    origin: 0x0102030405060708n,
    receive: 0x1112131415161718n,
    transmit: 0xffffffffffffffffn,
  });
});

test("48 bytes are needed; what follows them is not read", (t) => {
  t.throws(() => decodeNtp(Buffer.alloc(47)), { code: "ntp-length" });
  t.throws(() => decodeNtp(Buffer.alloc(0)), { code: "ntp-length" });
  const longer = Buffer.concat([Buffer.from(WIRE, "hex"), Buffer.alloc(20, 0xee)]);
  t.is(encodeNtp(decodeNtp(longer)).toString("hex"), WIRE);
});

test("any 48 bytes are what they are decoded to, at any place in memory", (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 48, maxLength: 48 }), (bytes) => {
      const within = Buffer.concat([Buffer.alloc(5), bytes]).subarray(5);
      t.deepEqual(encodeNtp(decodeNtp(within)), Buffer.from(bytes));
    }),
  );
});

test("differences and shifts go over the end of an era and below zero", (t) => {
  t.is(millisecondsBetween(2n ** 64n - 2n ** 32n, 2n ** 32n), 2_000);
  t.is(millisecondsBetween(2n ** 32n, 0n), -1_000);
  t.is(shifted(2n ** 64n - 1n, 1_000), 2n ** 32n - 1n);
  t.is(shifted(0n, -500), 2n ** 64n - 2n ** 31n);
});
