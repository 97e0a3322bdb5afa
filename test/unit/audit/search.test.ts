import test from "ava";
import * as fc from "fast-check";
import {
  RECORD_KINDS,
  type AuditRecord,
  type RecordDraft,
  type RecordFilter,
} from "../../../src/audit/index.ts";
import { UsageError } from "../../../src/base/index.ts";
import { ALICE, draft, openLog, plain } from "./samples.ts";

const USERS = ["alice", "bob", "o'hara; DROP TABLE records", "%"];
const few = (name: string) => fc.constantFrom(`${name}-1`, `${name}-2`, `${name}-3`);
const time = fc.integer({ min: 1_000, max: 1_050 });

const fields = {
  kind: fc.constantFrom(...RECORD_KINDS),
  user: fc.constantFrom(...USERS),
  machine: few("machine"),
  service: few("service"),
  session: few("session"),
  decision: fc.constantFrom("permit", "denial"),
  stage: few("stage"),
  rule: few("rule"),
  fingerprint: few("print"),
  since: time,
  until: time,
};

const anyFields = fc.record(fields, { requiredKeys: [] });
/** Few fields at once, or hardly anything would match. */
const filters: fc.Arbitrary<RecordFilter> = fc
  .tuple(fc.record(fields), fc.subarray(Object.keys(fields), { maxLength: 3 }))
  .map(([all, kept]) => Object.fromEntries(Object.entries(all).filter(([field]) => kept.includes(field))));

const drafts = fc
  .tuple(anyFields, time)
  .map(([{ user, fingerprint, since: _since, until: _until, ...same }, at]): RecordDraft => {
    const { id } = draft();
    const base: RecordDraft = { kind: "process", ...same, id, time: at };
    if (user !== undefined)
      return { ...base, identity: { ...ALICE, user, fingerprint: fingerprint ?? "print-1" } };
    if (fingerprint === undefined) return base;
    return { ...base, presented: { subject: "CN=x", serialNumber: "1", fingerprint } };
  });

function matches(record: AuditRecord, filter: RecordFilter): boolean {
  const has = {
    ...record,
    user: record.identity?.user,
    fingerprint: record.identity?.fingerprint ?? record.presented?.fingerprint,
  };
  const { since = -Infinity, until = Infinity, ...same } = filter;
  const pairs: [unknown, unknown][] = [
    [has.kind, same.kind],
    [has.user, same.user],
    [has.machine, same.machine],
    [has.service, same.service],
    [has.session, same.session],
    [has.decision, same.decision],
    [has.stage, same.stage],
    [has.rule, same.rule],
    [has.fingerprint, same.fingerprint],
  ];
  const equal = pairs.every(([value, wanted]) => wanted === undefined || value === wanted);
  return equal && record.time >= since && record.time < until;
}

test("a search finds what a filter over all records finds, newest first", async (t) => {
  const { log } = openLog(t);
  await log.append(fc.sample(drafts, { numRuns: 900, seed: 1 }), "now");
  const all = log.read({ limit: 1_000, reverse: true });
  t.is(all.length, 900);
  let found = 0;
  const property = fc.asyncProperty(
    filters,
    fc.integer({ min: 1, max: 20 }),
    fc.nat({ max: 900 }),
    async (filter, limit, before) => {
      const expected = all
        .filter((record) => record.index < before && matches(record, filter))
        .slice(0, limit);
      t.deepEqual(await log.query(filter, { limit, before }), expected);
      found += expected.length;
    },
  );
  await fc.assert(property, { numRuns: 300, seed: 2 });
  t.true(found > 300);
});

test("a search goes through more than one slice, and on from an earlier answer", async (t) => {
  const { log } = openLog(t);
  await log.append(plain(3), "now");
  await log.append([draft({ identity: { ...ALICE, user: "bob" } })], "now");
  for (let round = 0; round < 6; round++) await log.append(plain(1_000), "now");
  await log.append([draft({ identity: { ...ALICE, user: "bob" } })], "now");
  const first = await log.query({ user: "bob" }, { limit: 1 });
  t.deepEqual(
    first.map((record) => record.index),
    [6_004],
  );
  const second = await log.query({ user: "bob" }, { limit: 10, before: 6_004 });
  t.deepEqual(
    second.map((record) => record.index),
    [3],
  );
  t.is((await log.query({}, { limit: 6_000 })).length, 6_000);
  t.deepEqual(await log.query({}, { limit: 10, before: 0 }), []);
});

test("a search by time finds what was recorded late and what a wrong clock dated ahead", async (t) => {
  const { log } = openLog(t);
  const times = [100, 900, 200, 5_000, 300, 400, 150, 950];
  await log.append(
    times.map((at) => draft({ time: at })),
    "now",
  );
  const found = async (filter: RecordFilter) =>
    (await log.query(filter, { limit: 100 })).map((record) => record.time);
  t.deepEqual(await found({ since: 900 }), [950, 5_000, 900]);
  t.deepEqual(await found({ since: 5_001 }), []);
  t.deepEqual(await found({ since: 150, until: 300 }), [150, 200]);
  t.deepEqual(await found({ until: 150 }), [100]);
});

test("appends go on while a search is under way", async (t) => {
  const { log } = openLog(t);
  for (let round = 0; round < 6; round++) await log.append(plain(1_000), "now");
  const order: string[] = [];
  const search = log.query({ user: "nobody" }, { limit: 1 }).then(() => order.push("searched"));
  await log.append([draft()], "now").then(() => order.push("appended"));
  await search;
  t.deepEqual(order, ["appended", "searched"]);
});

test("a limit beyond what can be had is refused", async (t) => {
  const { log } = openLog(t);
  await t.throwsAsync(log.query({}, { limit: 10_001 }), { instanceOf: UsageError, code: "audit-limit" });
});
