import test from "ava";
import * as fc from "fast-check";
import { containsRule, forbidsAll } from "../../../src/site/overlap.ts";
import type { Forbid, Interval, ModbusScope, When, Who, WriteInterval } from "../../../src/site/index.ts";

const ANYONE: Who = {
  users: null,
  groups: null,
  devices: null,
  roles: null,
  tiers: null,
  tenants: null,
  sources: null,
  machines: null,
};

function rule(parts: Partial<Forbid>): Forbid {
  const base = {
    name: "r",
    reason: "r",
    line: 1,
    who: ANYONE,
    services: ["m/s"],
    modbus: null,
    when: null,
    from: null,
  };
  return { ...base, ...parts };
}

const SIZE = 8;

/** Sorted intervals that do not overlap, from a map of addresses to the limits that hold there. */
function intervalsFrom<T extends object>(cells: readonly (T | null)[]): (Interval & T)[] {
  return cells.flatMap((cell, at) => (cell === null ? [] : [{ start: at, end: at, ...cell }]));
}

const cells = <T extends object>(cell: fc.Arbitrary<T>) =>
  fc.array(fc.option(cell), { minLength: SIZE, maxLength: SIZE });
const limit = fc
  .tuple(fc.nat(3), fc.nat(3), fc.option(fc.integer({ min: 1, max: 3 })))
  .map(([a, b, maxChange]) => ({ min: Math.min(a, b), max: Math.max(a, b), maxChange }));

const scope: fc.Arbitrary<ModbusScope> = fc
  .record({
    units: fc.option(cells(fc.constant({})).map((one) => intervalsFrom(one))),
    functions: fc.option(
      fc
        .subarray([3, 6, 8])
        .map((codes) => codes.map((code) => ({ code, subFunctions: code === 8 ? [1, 2] : null }))),
    ),
    addresses: fc.option(fc.record({ reads: cells(fc.constant({})), writes: cells(limit) })),
  })
  .map(({ units, functions, addresses }) => ({
    units,
    functions,
    reads: addresses === null ? null : { holdingRegisters: intervalsFrom(addresses.reads) },
    writes:
      addresses === null
        ? null
        : { holdingRegisters: intervalsFrom<Omit<WriteInterval, "start" | "end">>(addresses.writes) },
  }));

interface Asked {
  readonly unit: number;
  readonly code: number;
  readonly address: number;
  readonly value: number;
  readonly change: number;
}

/** The least a rule must mean: one unit, one function, one address, one value, one step. */
function matches(
  { units, functions, reads, writes }: ModbusScope,
  { unit, code, address, value, change }: Asked,
): boolean {
  const at = ({ start, end }: Interval) => start <= address && address <= end;
  if (units !== null && !units.some(({ start, end }) => start <= unit && unit <= end)) return false;
  if (functions !== null && !functions.some((one) => one.code === code)) return false;
  if (reads === null || writes === null || code === 8) return true;
  if (code === 3) return (reads.holdingRegisters ?? []).some(at);
  return (writes.holdingRegisters ?? []).some((write) => {
    return (
      at(write) &&
      write.min <= value &&
      value <= write.max &&
      (write.maxChange === null || change <= write.maxChange)
    );
  });
}

const ALL: readonly Asked[] = [3, 6, 8].flatMap((code) =>
  Array.from({ length: SIZE }, (_, address) => address).flatMap((address) =>
    [0, 1, 2, 3].flatMap((value) =>
      [1, 2, 3, 4].map((change) => ({ unit: address, code, address, value, change })),
    ),
  ),
);

test("what contains another matches whatever the other matches", (t) => {
  let contained = 0;
  fc.assert(
    fc.property(scope, scope, fc.boolean(), (one, other, grow) => {
      // Half of the pairs are made so that containment is likely.
      const wide = grow
        ? {
            ...other,
            units: null,
            functions:
              other.functions === null
                ? null
                : [{ code: 3, subFunctions: null }, ...other.functions.filter(({ code }) => code !== 3)],
          }
        : one;
      if (!containsRule("forbid", [rule({ modbus: wide })], [rule({ modbus: other })])) return;
      contained += 1;
      for (const asked of ALL) if (matches(other, asked)) t.true(matches(wide, asked), JSON.stringify(asked));
    }),
    { numRuns: 400 },
  );
  t.true(contained > 50);
});

test("a rule contains itself", (t) => {
  fc.assert(
    fc.property(scope, (modbus) => {
      t.true(containsRule("forbid", [rule({ modbus })], [rule({ modbus })]));
    }),
  );
});

const when = (parts: Partial<When>): When => ({
  days: null,
  hours: null,
  from: null,
  until: null,
  keySwitch: null,
  ...parts,
});

const CASES: readonly (readonly [
  title: string,
  wide: Partial<Forbid>,
  narrow: Partial<Forbid>,
  contains: boolean,
])[] = [
  ["anyone over a user", {}, { who: { ...ANYONE, users: ["alice"] } }, true],
  ["a user over anyone", { who: { ...ANYONE, users: ["alice"] } }, {}, false],
  [
    "two users over one",
    { who: { ...ANYONE, users: ["alice", "bob"] } },
    { who: { ...ANYONE, users: ["bob"] } },
    true,
  ],
  [
    "a user over that user on a device",
    { who: { ...ANYONE, users: ["bob"] } },
    { who: { ...ANYONE, users: ["bob"], devices: ["d"] } },
    true,
  ],
  ["a group over a user", { who: { ...ANYONE, groups: ["g"] } }, { who: { ...ANYONE, users: ["g"] } }, false],
  ["more services over fewer", { services: ["a/s", "b/s", "c/s"] }, { services: ["a/s", "c/s"] }, true],
  ["fewer services over more", { services: ["a/s"] }, { services: ["a/s", "b/s"] }, false],
  [
    "two sources over one",
    { who: { ...ANYONE, sources: ["a", "b"] } },
    { who: { ...ANYONE, sources: ["b"] } },
    true,
  ],
  ["anything over a rule without services", {}, { services: [] }, false],
  ["always over mornings", {}, { when: when({ hours: [{ start: 0, end: 720 }] }) }, true],
  ["mornings over always", { when: when({ hours: [{ start: 0, end: 720 }] }) }, {}, false],
  ["weekdays over monday", { when: when({ days: [0, 1, 2, 3, 4] }) }, { when: when({ days: [0] }) }, true],
  [
    "a year over a month",
    { when: when({ from: 0, until: 100 }) },
    { when: when({ from: 10, until: 20 }) },
    true,
  ],
  ["a month over an open end", { when: when({ until: 100 }) }, { when: when({ from: 10 }) }, false],
  ["always over a key switch that is on", {}, { when: when({ keySwitch: "on" }) }, true],
  ["a key switch that is on over always", { when: when({ keySwitch: "on" }) }, {}, false],
  [
    "a key switch that is on over one that is off",
    { when: when({ keySwitch: "on" }) },
    { when: when({ keySwitch: "off" }) },
    false,
  ],
  [
    "a key switch over the same on mondays",
    { when: when({ keySwitch: "on" }) },
    { when: when({ keySwitch: "on", days: [0] }) },
    true,
  ],
  ["mondays over a key switch", { when: when({ days: [0] }) }, { when: when({ keySwitch: "on" }) }, false],
  ["a network over a part of it", { from: ["10.0.0.0/8"] }, { from: ["10.1.0.0/16", "10.2.3.4/32"] }, true],
  ["a network over another", { from: ["10.0.0.0/8"] }, { from: ["192.0.2.0/24"] }, false],
  ["a network over everywhere", { from: ["0.0.0.0/0"] }, {}, false],
];

for (const [title, wide, narrow, expected] of CASES) {
  test(`${title}: ${expected ? "contains" : "does not contain"}`, (t) => {
    t.is(containsRule("forbid", [rule(wide)], [rule(narrow)]), expected);
  });
}

const SOURCE: Partial<Forbid> = { who: { ...ANYONE, sources: ["scada-1"] } };
const MACHINE: Partial<Forbid> = { who: { ...ANYONE, machines: ["hmi-4"] } };

test("a grant for anyone is for certificates; a forbid for anyone is for every client there is", (t) => {
  for (const narrow of [SOURCE, MACHINE]) {
    t.false(containsRule("grant", [rule({})], [rule(narrow)]));
    t.true(containsRule("forbid", [rule({})], [rule(narrow)]));
    t.true(forbidsAll([rule({})], [rule(narrow)]));
    for (const kind of ["grant", "forbid"] as const) {
      t.true(containsRule(kind, [rule(narrow)], [rule(narrow)]));
      t.false(containsRule(kind, [rule(narrow)], [rule({})]));
    }
  }
  t.false(containsRule("forbid", [rule(SOURCE)], [rule(MACHINE)]));
  t.false(containsRule("forbid", [rule({ who: { ...ANYONE, groups: ["g"] } })], [rule(SOURCE)]));
});

test("a forbid with addresses does not forbid functions that name none", (t) => {
  const all = [{ start: 0, end: 65_535 }];
  const write = { ...all[0]!, min: 0, max: 65_535, maxChange: null };
  const everything: ModbusScope = {
    units: null,
    functions: null,
    reads: { holdingRegisters: all },
    writes: { holdingRegisters: [write] },
  };
  const grant = (codes: readonly number[]) =>
    rule({ modbus: { ...everything, functions: codes.map((code) => ({ code, subFunctions: null })) } });
  t.true(forbidsAll([rule({ modbus: everything })], [grant([3, 6, 23])]));
  t.false(forbidsAll([rule({ modbus: everything })], [grant([3, 7])]));
  t.true(forbidsAll([rule({})], [grant([3, 7])]));
});
