import test from "ava";
import { BugError } from "../../../../src/base/index.ts";
import {
  dotted,
  ipv4Bytes,
  isGroupMac,
  isSingleHost,
  macBytes,
  macText,
} from "../../../../src/isolation/packet/address.ts";

test("addresses are read and written", (t) => {
  t.is(dotted(Uint8Array.of(9, 10, 0, 255, 1), 1), "10.0.255.1");
  t.deepEqual(ipv4Bytes("10.0.255.1"), [10, 0, 255, 1]);
  t.is(macText(Uint8Array.of(9, 0, 0x1b, 0xff, 1, 2, 3), 1), "00:1b:ff:01:02:03");
  t.deepEqual(macBytes("00:1b:ff:01:02:03"), [0, 0x1b, 0xff, 1, 2, 3]);
});

test("what is no address is a bug, and never written as something else", (t) => {
  for (const wrong of ["", "10.0.0", "10.0.0.256", "010.0.0.1", "::1", "10.0.0.1 "]) {
    t.throws(() => ipv4Bytes(wrong), { instanceOf: BugError }, wrong);
  }
  for (const wrong of [
    "",
    "00:1b:ff:01:02",
    "00:1B:ff:01:02:03",
    "00-1b-ff-01-02-03",
    "00:1b:ff:01:02:03:04",
  ]) {
    t.throws(() => macBytes(wrong), { instanceOf: BugError }, wrong);
  }
});

test("groups are told by the lowest bit of the first octet", (t) => {
  t.true(isGroupMac("01:80:c2:00:00:00"));
  t.true(isGroupMac("ff:ff:ff:ff:ff:ff"));
  t.false(isGroupMac("02:00:00:00:00:01"));
  t.false(isGroupMac("00:01:01:01:01:01"));
});

test("a single host is none of the ranges for others", (t) => {
  for (const host of ["1.0.0.0", "10.20.0.50", "126.255.255.255", "128.0.0.0", "223.255.255.255"])
    t.true(isSingleHost(host), host);
  for (const other of ["0.0.0.0", "0.255.0.1", "127.0.0.1", "224.0.0.0", "255.255.255.255"])
    t.false(isSingleHost(other), other);
});
