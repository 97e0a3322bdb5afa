import test from "ava";
import { UnavailableError, UsageError } from "../../../src/base/index.ts";
import { Bed, documentOf } from "./site.ts";

test("a box that was told nothing has no machine and no grant", (t) => {
  const { site } = Bed.open(t);
  t.like(site.snapshot, { version: 0, machines: [], grants: [], destinations: [] });
});

test("a document is applied: kept, recorded, in force, and told", async (t) => {
  const { site, store, audit, changes, clock } = Bed.open(t);
  const text = documentOf("one");
  const { applied, report } = await site.apply(text, "site.yaml", "engineer-1", "first");
  t.like(applied, { version: 1, appliedAt: clock.time, appliedBy: "engineer-1", note: "first" });
  t.true(report.length > 0);
  t.like(site.snapshot, { version: 1, site: { name: "one" }, hash: applied?.hash });
  t.deepEqual(changes, [site.snapshot]);
  t.is(store.current()?.text, text);
  const [record] = audit.read({ limit: 10 });
  t.like(record, {
    kind: "site",
    siteVersion: 1,
    reason: "site document applied by engineer-1: first",
    detail: { hash: applied?.hash },
  });
  t.is(store.prepared(), null);
});

test("what was applied is in force again after a restart", async (t) => {
  const bed = Bed.open(t);
  await bed.site.apply(documentOf("one"), "site.yaml", "engineer-1", "");
  await bed.site.apply(documentOf("two"), "site.yaml", "engineer-1", "");
  const { site, store } = bed.again(t);
  t.like(site.snapshot, { version: 2, site: { name: "two" } });
  t.deepEqual(
    store.history().map(({ version }) => version),
    [2, 1],
  );
});

test("a document with errors leaves the old one serving, and says what is wrong", async (t) => {
  const { site, store, audit, changes } = Bed.open(t);
  await site.apply(documentOf("one"), "site.yaml", "engineer-1", "");
  const before = { snapshot: site.snapshot, size: audit.size };
  for (const broken of [
    "",
    "niac: 2",
    "niac: 1\nsite: [",
    documentOf("two").replace("modbus-tcp", "modbus-udp"),
  ]) {
    const { applied, report } = await site.apply(broken, "broken.yaml", "engineer-1", "");
    t.is(applied, null);
    t.regex(report.join("\n"), /broken\.yaml/);
  }
  t.is(site.snapshot, before.snapshot);
  t.is(audit.size, before.size);
  t.is(changes.length, 1);
  t.is(store.history().length, 1);
});

test("a rollback applies an earlier text as a new version", async (t) => {
  const { site, store, audit } = Bed.open(t);
  await site.apply(documentOf("one"), "site.yaml", "engineer-1", "");
  await site.apply(documentOf("two"), "site.yaml", "engineer-1", "");
  const { applied } = await site.rollback(1, "engineer-2");
  t.like(applied, { version: 3, appliedBy: "engineer-2", note: "rollback to version 1" });
  t.like(site.snapshot, { version: 3, site: { name: "one" } });
  t.is(store.get(1).version.hash, store.get(3).version.hash);
  t.regex(audit.get(2)?.reason ?? "", /by engineer-2: rollback to version 1/);
});

test("a rollback to a version that never was is refused", async (t) => {
  const { site } = Bed.open(t);
  for (const version of [0, 1, -1, 2 ** 40]) {
    await t.throwsAsync(async () => site.rollback(version, "engineer-1"), {
      instanceOf: UsageError,
      code: "no-version",
    });
  }
});

test("a document that asks for a key switch is applied to a box without one, and the answer says so", async (t) => {
  const bed = Bed.open(t);
  const grant =
    "{ name: keyed, reason: r, who: anyone, what: { machines: all, modbus: { functions: readOnly } }";
  const text = (name: string) => `${documentOf(name)}grants:\n  - ${grant}, when: { keySwitch: on } }\n`;
  const warned = async (document: string) => {
    const { applied, report } = await bed.site.apply(document, "site.yaml", "engineer-1", "");
    t.not(applied, null);
    return report.filter((line) => line.includes("the box has no key switch, or cannot read it"));
  };
  t.regex((await warned(text("one"))).join("\n"), /\(grant keyed\)$/);
  t.deepEqual(await warned(documentOf("two")), []);
  bed.keySwitch = false;
  t.deepEqual(await warned(text("three")), []);
});

test("two documents are not applied at once", async (t) => {
  const { site } = Bed.open(t);
  const first = site.apply(documentOf("one"), "site.yaml", "engineer-1", "");
  await t.throwsAsync(site.apply(documentOf("two"), "site.yaml", "engineer-2", ""), {
    instanceOf: UsageError,
    code: "site-busy",
  });
  t.is((await first).applied?.version, 1);
  t.is((await site.apply(documentOf("two"), "site.yaml", "engineer-2", "")).applied?.version, 2);
});

test("a crash before the record: the old document is in force, and the number is used again", async (t) => {
  const bed = Bed.open(t);
  await bed.site.apply(documentOf("one"), "site.yaml", "engineer-1", "");
  bed.store.prepare(documentOf("lost"), "engineer-1", "", 5);
  const { site, store } = bed.again(t);
  t.like(site.snapshot, { version: 1, site: { name: "one" } });
  t.throws(() => store.get(2), { code: "no-version" });
  t.is((await site.apply(documentOf("two"), "site.yaml", "engineer-1", "")).applied?.version, 2);
  t.is(store.get(2).text, documentOf("two"));
});

test("a crash after the record: what is on record as applied is in force", async (t) => {
  const bed = Bed.open(t);
  await bed.site.apply(documentOf("one"), "site.yaml", "engineer-1", "");
  await bed.site.apply(documentOf("two"), "site.yaml", "engineer-1", "");
  bed.db.prepare("UPDATE site_versions SET recorded = 0 WHERE version = 2").run();
  const { site, store } = bed.again(t);
  t.like(site.snapshot, { version: 2, site: { name: "two" } });
  t.is(store.prepared(), null);
});

test("a record that could not be written leaves the old document serving", async (t) => {
  const bed = Bed.open(t);
  await bed.site.apply(documentOf("one"), "site.yaml", "engineer-1", "");
  await bed.audit.close();
  await t.throwsAsync(bed.site.apply(documentOf("two"), "site.yaml", "engineer-1", ""), {
    instanceOf: UnavailableError,
    code: "audit-closed",
  });
  t.like(bed.site.snapshot, { version: 1 });
  t.is(bed.changes.length, 1);
  t.like(bed.again(t).site.snapshot, { version: 1 });
});

/** As on a full disk: the database may grow no further. */
function fill(bed: Bed): void {
  bed.db.pragma(`max_page_count = ${Number(bed.db.pragma("page_count", { simple: true }))}`);
}

test("on a full disk a document is refused with what to do about it, and the old one serves", async (t) => {
  const bed = Bed.open(t);
  await bed.site.apply(documentOf("one"), "site.yaml", "engineer-1", "");
  fill(bed);
  const large = `${documentOf("two")}${"# a line\n".repeat(10_000)}`;
  const error = await t.throwsAsync(bed.site.apply(large, "site.yaml", "engineer-1", ""), {
    instanceOf: UnavailableError,
    code: "site-full",
  });
  t.truthy(error instanceof UnavailableError && error.advice);
  t.like(bed.site.snapshot, { version: 1, site: { name: "one" } });
  t.is(bed.changes.length, 1);
  bed.db.pragma("max_page_count = 1000000");
  t.is((await bed.site.apply(large, "site.yaml", "engineer-1", "")).applied?.version, 2);
});

test("what is on record as applied and could not be put in force is, before the next is applied", async (t) => {
  const bed = Bed.open(t);
  await bed.site.apply(documentOf("one"), "site.yaml", "engineer-1", "");
  await bed.site.apply(documentOf("two"), "site.yaml", "engineer-1", "");
  bed.db.prepare("UPDATE site_versions SET recorded = 0 WHERE version = 2").run();
  t.is((await bed.site.apply(documentOf("three"), "site.yaml", "engineer-1", "")).applied?.version, 3);
  t.deepEqual(
    bed.store.history().map(({ version }) => version),
    [3, 2, 1],
  );
  t.is(bed.store.get(2).text, documentOf("two"));
});

test("a stored document that this niac does not understand stops it, rather than being guessed at", async (t) => {
  const bed = Bed.open(t);
  await bed.site.apply(documentOf("one"), "site.yaml", "engineer-1", "");
  bed.db.prepare("UPDATE site_versions SET text = 'niac: 99'").run();
  const error = t.throws(() => void bed.again(t), { instanceOf: UsageError, code: "site-stored" });
  t.regex(error?.message ?? "", /version 1/);
});
