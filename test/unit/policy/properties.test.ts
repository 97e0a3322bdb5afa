import test from "ava";
import * as fc from "fast-check";
import { compilePolicy, decide, isPermit, openSession } from "../../../src/policy/index.ts";
import type { Snapshot } from "../../../src/site/snapshot.ts";
import { requestOf } from "./documents.ts";
import { Dice, drawSnapshot, drawSession } from "./generator.ts";

/** A document with more rules than it is asked with: a property chooses among them, and shrinks the choice. */
const document = fc.record({
  seed: fc.nat(),
  grants: fc.uniqueArray(fc.nat(15), { maxLength: 10 }),
  forbids: fc.uniqueArray(fc.nat(7), { maxLength: 4 }),
});
type Choice = typeof document extends fc.Arbitrary<infer T> ? T : never;

function draw({ seed, grants, forbids }: Choice) {
  const dice = new Dice(seed);
  const base = drawSnapshot(dice);
  const pool = Array.from({ length: 16 }, (_, i) =>
    drawSnapshot(dice).grants.map((rule) => ({ ...rule, name: `${rule.name}-${i}` })),
  );
  const bars = Array.from({ length: 16 }, (_, i) =>
    drawSnapshot(dice).forbids.map((rule) => ({ ...rule, name: `${rule.name}-${i}` })),
  );
  const allGrants = pool.flat();
  const allForbids = bars.flat();
  const drawnSessions = Array.from({ length: 4 }, () => drawSession(dice, 10));
  const site: Snapshot = {
    ...base,
    grants: grants.flatMap((i) => allGrants.slice(i, i + 1)),
    forbids: forbids.flatMap((i) => allForbids.slice(i, i + 1)),
  };
  return { site, drawnSessions, grant: allGrants.slice(16, 17), forbid: allForbids.slice(8, 9) };
}

/** For each question in turn: was it permitted? A session that does not open permits nothing. */
function answers(snapshot: Snapshot, drawnSessions: ReturnType<typeof draw>["drawnSessions"]): boolean[] {
  const policy = compilePolicy(snapshot);
  return drawnSessions.flatMap(({ identity, machine, service, source, asks }) =>
    asks.flatMap(({ operation, now, current }) => {
      const request = requestOf({}, { identity, machine, service, source: source.text });
      const session = openSession(policy, request, now);
      return [isPermit(session), isPermit(session) && isPermit(decide(session, operation, now, { current }))];
    }),
  );
}

test("the order of rules does not matter", (t) => {
  let permits = 0;
  fc.assert(
    fc.property(document, fc.nat(), (choice, turn) => {
      const { site, drawnSessions } = draw(choice);
      const expected = answers(site, drawnSessions);
      permits += expected.filter(Boolean).length;
      for (const mixed of [
        rotated(site, turn),
        { ...site, grants: site.grants.toReversed(), forbids: site.forbids.toReversed() },
      ]) {
        t.deepEqual(answers(mixed, drawnSessions), expected);
      }
    }),
    { numRuns: 150, seed: 1 },
  );
  t.true(permits > 500);
});

function rotated(site: Snapshot, turn: number): Snapshot {
  const by = <T>(rules: readonly T[]): T[] => {
    const at = rules.length === 0 ? 0 : turn % rules.length;
    return [...rules.slice(at), ...rules.slice(0, at)];
  };
  return { ...site, grants: by(site.grants), forbids: by(site.forbids) };
}

test("adding a forbid never turns a denial into a permit", (t) => {
  let changed = 0;
  fc.assert(
    fc.property(document, (choice) => {
      const { site, drawnSessions, forbid } = draw(choice);
      const before = answers(site, drawnSessions);
      const after = answers({ ...site, forbids: [...site.forbids, ...forbid] }, drawnSessions);
      changed += after.filter((permitted, i) => permitted !== before[i]).length;
      return after.every((permitted, i) => !permitted || before[i] === true);
    }),
    { numRuns: 200, seed: 1 },
  );
  t.true(changed > 50);
});

test("adding a grant never turns a permit into a denial", (t) => {
  let changed = 0;
  fc.assert(
    fc.property(document, (choice) => {
      const { site, drawnSessions, grant } = draw(choice);
      const before = answers(site, drawnSessions);
      const after = answers({ ...site, grants: [...site.grants, ...grant] }, drawnSessions);
      changed += after.filter((permitted, i) => permitted !== before[i]).length;
      return before.every((permitted, i) => !permitted || after[i] === true);
    }),
    { numRuns: 200, seed: 1 },
  );
  t.true(changed > 50);
});
