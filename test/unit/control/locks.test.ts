import test, { type ExecutionContext } from "ava";
import { LockBook, type Enforce, type LockWish } from "../../../src/control/locks.ts";
import { TrustStore } from "../../../src/control/trust-store.ts";
import type { Lock } from "../../../src/link/index.ts";
import { parseSite, type Snapshot } from "../../../src/site/index.ts";
import { Bed } from "./site.ts";

const SITE = `niac: 1
site: { name: Plant, appliance: box.example, timeZone: UTC }
machines:
  press-4: { services: { modbus: { protocol: modbus-tcp, address: 192.0.2.10 } } }
people: { alice: { groups: [maintenance] } }
groups: { maintenance: {}, office: { fromCertificate: true } }
posture: { healthy: { diskEncryption: true } }
`;

function snapshot(): Snapshot {
  const { snapshot: found, findings } = parseSite(SITE, "site.yaml");
  if (found === null) throw new Error(JSON.stringify(findings));
  return found;
}

const WISH: LockWish = { kind: "user", value: "alice", reason: "lost laptop", by: "operator", until: null };

interface Locked {
  readonly bed: Bed;
  readonly book: LockBook;
  /** What was put in force, in order. */
  readonly enforced: (readonly Lock[])[];
}

function locked(t: ExecutionContext, bed = Bed.open(t)): Locked {
  const enforced: (readonly Lock[])[] = [];
  const enforce: Enforce = () => {
    enforced.push(book.all);
    return Promise.resolve({ ended: 3, problems: [] });
  };
  const book: LockBook = new LockBook(new TrustStore(bed.db), bed.audit, bed.clock, enforce);
  return { bed, book, enforced };
}

test("a lock is in force, then kept and on record; it outlasts a restart", async (t) => {
  const { bed, book, enforced } = locked(t);
  const { lock, effect } = await book.add({ ...WISH, until: bed.clock.time + 5_000 }, snapshot());
  t.deepEqual(lock, { ...WISH, id: "1", since: bed.clock.time, until: bed.clock.time + 5_000 });
  t.like(effect, { ended: 3, problems: [] });
  t.deepEqual(enforced, [[lock]]);
  const [record] = bed.audit.read({ limit: 10 });
  t.like(record, {
    kind: "trust",
    reason: `operator locks user alice, until ${new Date(bed.clock.time + 5_000).toISOString()}: lost laptop`,
    detail: { action: "lock", lock: "1", of: "user", value: "alice", why: "lost laptop" },
    counts: { ended: 3 },
  });
  const again = locked(t, bed.again(t));
  t.deepEqual(again.book.all, [lock]);
  t.is((await again.book.add({ ...WISH, value: "bob" }, snapshot())).lock.id, "2");
});

test("a lock needs no room on the disk: it is in force, and says what did not come off", async (t) => {
  const { bed, book, enforced } = locked(t);
  bed.db.close();
  const { lock, effect } = await book.add(WISH, snapshot());
  t.deepEqual(enforced, [[lock]]);
  t.is(effect.problems.length, 2);
  t.regex(effect.problems[0] ?? "", /will not outlast a restart/);
  t.regex(effect.problems[1] ?? "", /not on record/);
});

test("unlocking is on record first: where it cannot be, the lock stays", async (t) => {
  const { bed, book, enforced } = locked(t);
  const { lock } = await book.add(WISH, snapshot());
  bed.db.close();
  await t.throwsAsync(book.remove({ id: lock.id }, "", "operator"));
  t.deepEqual(book.all, [lock]);
  t.is(enforced.length, 1);
});

test("a lock that has no end stays, one that has expires by itself, once and on record", async (t) => {
  const { bed, book, enforced } = locked(t);
  const until = bed.clock.time + 1_000;
  await book.add(WISH, snapshot());
  await book.add({ ...WISH, value: "bob", until }, snapshot());
  await book.expire(until - 1);
  t.is(book.all.length, 2);
  await Promise.all([book.expire(until), book.expire(until)]);
  t.deepEqual(
    book.all.map(({ value }) => value),
    ["alice"],
  );
  t.is(enforced.length, 3);
  const reasons = bed.audit.read({ limit: 10 }).map(({ reason }) => reason);
  t.deepEqual(reasons.slice(2), ["the lock on user bob is over: its time has come"]);
  t.deepEqual(
    book.list().map(({ id, ended, endedBy }) => [id, ended, endedBy]),
    [
      ["2", bed.clock.time, null],
      ["1", null, null],
    ],
  );
  t.deepEqual(
    locked(t, bed.again(t)).book.all.map(({ value }) => value),
    ["alice"],
  );
});

test("by id one is unlocked, by name all that lock the same", async (t) => {
  const { book } = locked(t);
  for (const reason of ["one", "two", "three"]) await book.add({ ...WISH, reason }, snapshot());
  t.deepEqual(
    (await book.remove({ id: "2" }, "enough", "operator")).locks.map(({ reason }) => reason),
    ["two"],
  );
  t.is((await book.remove({ kind: "user", value: "alice" }, "", "operator")).locks.length, 2);
  t.deepEqual(book.all, []);
  await t.throwsAsync(book.remove({ id: "1" }, "", "operator"), { message: "there is no lock 1 in force" });
  t.deepEqual(new Set(book.list().map(({ endedBy }) => endedBy)), new Set(["operator"]));
});

test("a name that the site document does not have is no lock but a mistake, with what there is", async (t) => {
  const { book, enforced } = locked(t);
  const wrong = [
    ["machine", "pres-4", /It has press-4\./],
    ["group", "maintenence", /It has maintenance, office\./],
    ["posture", "helthy", /It has healthy\./],
    ["source", "scada", /niac site show/],
    ["certificate", "alice", /hexadecimal/],
    ["certificate", "ab".repeat(33), /hexadecimal/],
  ] as const;
  for (const [kind, value, advice] of wrong) {
    const error = await t.throwsAsync(book.add({ ...WISH, kind, value }, snapshot()));
    t.regex(error instanceof Error && "advice" in error ? String(error.advice) : "", advice);
  }
  await t.throwsAsync(book.add({ ...WISH, until: 1 }, snapshot()), { message: /over already/ });
  t.deepEqual(enforced, []);
  for (const [kind, value] of [
    ["machine", "press-4"],
    ["group", "office"],
    ["posture", "healthy"],
    ["user", "anybody"],
  ] as const)
    await book.add({ ...WISH, kind, value }, snapshot());
  const { lock } = await book.add({ ...WISH, kind: "certificate", value: "0A:FF 01" }, snapshot());
  t.is(lock.value, "0aff01");
  t.is((await book.remove({ kind: "certificate", value: "0a:ff:01" }, "", "operator")).locks.length, 1);
});

const away: Enforce = () => Promise.resolve({ ended: null, problems: ["netd is away"] });

test("where the gateway is away the answer says so", async (t) => {
  const bed = Bed.open(t);
  const book = new LockBook(new TrustStore(bed.db), bed.audit, bed.clock, away);
  const { effect } = await book.add(WISH, snapshot());
  t.like(effect, { ended: null, problems: ["netd is away"] });
});
