import test from "ava";
import * as fc from "fast-check";
import { DenialTally, ReadTally } from "../../../src/gateway/tally.ts";
import { describeOperation, type Operation } from "../../../src/modbus/index.ts";
import { reading } from "../machine/requests.ts";

test("reads are counted by function, unit and range", (t) => {
  const tally = new ReadTally();
  t.is(tally.since, -1);
  for (let i = 0; i < 3; i++) {
    tally.count(reading(0, 10), 1000 + i);
    tally.count(reading(0, 10, 2), 2000);
    tally.count(reading(0, 11), 2000);
    tally.count(
      { ...reading(0, 10), functionCode: 4, reads: { table: "inputRegisters", address: 0, quantity: 10 } },
      1,
    );
  }
  tally.count(reading(5, 1), 3000);
  t.is(tally.since, 1000, "the interval began with the first read");
  t.deepEqual(tally.take(describeOperation), {
    "read holding registers 0..9 (unit 1)": 3,
    "read holding registers 0..9 (unit 2)": 3,
    "read holding registers 0..10 (unit 1)": 3,
    "read input registers 0..9 (unit 1)": 3,
    "read holding register 5 (unit 1)": 1,
  });
});

test("taking begins anew", (t) => {
  const tally = new ReadTally();
  tally.count(reading(0), 1000);
  tally.take(describeOperation);
  t.is(tally.since, -1);
  t.deepEqual(tally.take(describeOperation), {});
  tally.count(reading(0), 5000);
  t.is(tally.since, 5000);
  t.deepEqual(tally.take(describeOperation), { "read holding register 0 (unit 1)": 1 });
});

function file(number: number): Operation {
  const files = [{ file: number, record: 1, length: 2, values: [] }];
  return { ...reading(0), functionCode: 20, reads: null, files };
}

test("reads of different files are different reads", (t) => {
  const tally = new ReadTally();
  tally.count(file(4), 0);
  tally.count(file(5), 0);
  tally.count(file(5), 0);
  t.deepEqual(tally.take(describeOperation), {
    "read file 4 record 1..2 (unit 1)": 1,
    "read file 5 record 1..2 (unit 1)": 2,
  });
});

test("beyond a hundred kinds reads are counted together, and none is lost", (t) => {
  const tally = new ReadTally();
  for (let address = 0; address < 250; address++) tally.count(reading(address), 0);
  for (let address = 0; address < 250; address++) tally.count(reading(address), 0);
  const counts = tally.take(describeOperation);
  t.is(Object.keys(counts).length, 101);
  t.is(counts["read holding register 99 (unit 1)"], 2);
  t.is(counts["other ranges"], 300);
});

test("whatever is read, every read is counted once under its own name", (t) => {
  const reads = fc.record({
    address: fc.nat(30),
    quantity: fc.integer({ min: 1, max: 3 }),
    unit: fc.constantFrom(0, 1, 255),
  });
  const property = fc.property(fc.array(reads, { maxLength: 90 }), (all) => {
    const tally = new ReadTally();
    const expected: Record<string, number> = {};
    for (const { address, quantity, unit } of all) {
      const operation = reading(address, quantity, unit);
      tally.count(operation, 0);
      const name = describeOperation(operation);
      expected[name] = (expected[name] ?? 0) + 1;
    }
    t.deepEqual(tally.take(describeOperation), expected);
  });
  t.notThrows(() => fc.assert(property, { numRuns: 200 }));
});

test("the first denial of a kind is recorded by itself, repetitions are counted", (t) => {
  const tally = new DenialTally();
  t.is(tally.since, -1);
  t.true(tally.first("address 5", 1000));
  t.false(tally.first("address 5", 2000));
  t.true(tally.first("address 6", 3000));
  t.false(tally.first("address 5", 4000));
  t.is(tally.since, 1000);
  t.is(tally.take(), 2);
  t.is(tally.since, -1);
  t.true(tally.first("address 5", 5000), "and by itself again in the next interval");
  t.is(tally.take(), 0);
});

test("a client that tries everything leaves a hundred records and a sum", (t) => {
  const tally = new DenialTally();
  let recorded = 0;
  for (let address = 0; address < 65_536; address++) if (tally.first(`address ${address}`, 0)) recorded++;
  t.is(recorded, 100);
  t.is(tally.take(), 65_436);
});
