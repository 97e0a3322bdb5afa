import test from "ava";
import { asReference, readAddress, readPorts, readUnit, readValues } from "../../../src/site/address.ts";
import type { Reading } from "../../../src/site/scalar.ts";

function message<T>(reading: Reading<T>): string {
  return "mistake" in reading ? reading.mistake.message : "no mistake";
}

test("an address, a range, and the ends of the address space", (t) => {
  t.deepEqual(readAddress("coils", 0), { value: { start: 0, end: 0 } });
  t.deepEqual(readAddress("coils", 65_535), { value: { start: 65_535, end: 65_535 } });
  t.deepEqual(readAddress("coils", "0-65535"), { value: { start: 0, end: 65_535 } });
  t.deepEqual(readAddress("coils", "7 - 7"), { value: { start: 7, end: 7 } });
  t.is(message(readAddress("coils", 65_536)), "65536 is beyond the last address, 65535");
  t.is(message(readAddress("coils", "0-65536")), "65536 is beyond the last address, 65535");
  t.is(message(readAddress("coils", "20-10")), "the range 20-10 runs backwards");
  for (const bad of [-1, 1.5, Number.NaN, "", "1-", "-1", "01-02", "1-2-3", "a", true, null, [], {}]) {
    t.true("mistake" in readAddress("coils", bad), JSON.stringify(bad));
  }
});

test("reference notation is explained, and put right where the table agrees", (t) => {
  t.deepEqual(asReference("40011"), { table: "holdingRegisters", address: 10 });
  t.deepEqual(asReference("465536"), { table: "holdingRegisters", address: 65_535 });
  t.deepEqual(asReference("300001"), { table: "inputRegisters", address: 0 });
  for (const none of ["40000", "400000", "465537", "200001", "4011", "4000011"])
    t.is(asReference(none), null, none);
  t.deepEqual(readAddress("holdingRegisters", 400_011), {
    mistake: {
      message: "addresses count from 0: holding register 400011 is holdingRegisters: 10",
      expected: "address from 0 to 65535",
      suggestion: "10",
    },
  });
  const other = readAddress("inputRegisters", 400_011);
  t.is(message(other), "addresses count from 0: holding register 400011 is holdingRegisters: 10");
  t.false("mistake" in other && "suggestion" in other.mistake);
});

test("units up to the last one", (t) => {
  t.deepEqual(readUnit(247, "1-247"), { value: { start: 1, end: 247 } });
  t.is(message(readUnit(247, 248)), "248 is beyond the last unit, 247");
});

test("values of coils are 0 and 1, of registers 0 to 65535", (t) => {
  t.deepEqual(readValues("coils", "0-1"), { value: { start: 0, end: 1 } });
  t.true("mistake" in readValues("coils", 2));
  t.deepEqual(readValues("coils", true), {
    mistake: { message: "true is no value", expected: "value from 0 to 1", suggestion: "1" },
  });
  t.deepEqual(readValues("holdingRegisters", 65_535), { value: { start: 65_535, end: 65_535 } });
  t.regex(message(readValues("holdingRegisters", -1)), /-1 is 65535 there/);
  t.regex(message(readValues("holdingRegisters", "-20-10")), /-20 is 65516 there/);
});

test("port 0 is no port", (t) => {
  t.true("mistake" in readPorts(0));
  t.true("mistake" in readPorts("0-10"));
  t.deepEqual(readPorts("1-65535"), { value: { start: 1, end: 65_535 } });
});
