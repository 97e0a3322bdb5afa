import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { createRecords, openDatabase } from "../../../src/audit/index.ts";
import { createAuthority, createUpstream } from "../../../src/authority/index.ts";
import { createPanel } from "../../../src/control/panel-store.ts";
import { createSite } from "../../../src/control/site-store.ts";
import { createTrust } from "../../../src/control/trust-store.ts";
import { createUpdates, UpdateStore, viewOf } from "../../../src/control/update-store.ts";
import { createEnrolment } from "../../../src/enrolment/index.ts";
import { createOutside } from "../../../src/revocation/index.ts";
import { directory } from "../audit/samples.ts";

const WISH = {
  id: "11111111-2222-4333-8444-555555555555",
  begun: 1_000,
  source: "/run/niac-usb/sda1/niac.raucb",
  by: "alice",
  from: "0.1.0",
  version: "0.2.0",
  hash: "ab".repeat(32),
  slot: "B",
} as const;

function store(t: ExecutionContext): UpdateStore {
  const db = openDatabase(join(directory(t), "niac.db"), [createRecords, createUpdates]);
  t.teardown(() => db.close());
  return new UpdateStore(db);
}

test("without an update there is no last one", (t) => {
  t.is(store(t).last(), null);
});

test("what is begun is kept, and what becomes of it", (t) => {
  const updates = store(t);
  const begun = updates.begin(WISH);
  t.deepEqual(updates.last(), begun);
  t.deepEqual(viewOf(begun), { ...WISH, changed: 1_000, state: "installing", reason: "" });
  const armed = updates.set(begun, 2_000, { state: "trial", boot: "boot-1" });
  t.deepEqual(updates.last(), armed);
  t.like(armed, { state: "trial", boot: "boot-1", changed: 2_000, version: "0.2.0" });
});

test("what waited for a restart, or was broken off, is written over by the next, and only that", (t) => {
  const updates = store(t);
  updates.set(updates.begin(WISH), 2_000, { state: "good" });
  updates.begin({ ...WISH, id: "broken off" });
  updates.set(updates.begin({ ...WISH, id: "2", begun: 3_000 }), 4_000, { state: "installed" });
  updates.begin({ ...WISH, id: "3", begun: 5_000 });
  t.deepEqual(
    updates.list(9).map(({ state, changed }) => [state, changed]),
    [
      ["good", 2_000],
      ["replaced", 3_000],
      ["replaced", 5_000],
      ["installing", 5_000],
    ],
  );
});

test("the last fifty are kept", (t) => {
  const updates = store(t);
  for (let each = 0; each < 60; each++) updates.begin({ ...WISH, id: `update-${each}` });
  const kept = updates.list(100).map(({ id }) => id);
  t.is(kept.length, 50);
  t.is(kept[0], "update-10");
  t.deepEqual(
    updates.list(2).map(({ id }) => id),
    ["update-58", "update-59"],
  );
});

test("an image that is tried and left leaves a database that the one before opens: every step only adds, or says that it breaks", (t) => {
  const steps = [
    createRecords,
    createSite,
    createTrust,
    createAuthority,
    createUpstream,
    createEnrolment,
    createOutside,
    createPanel,
    createUpdates,
  ];
  for (const { name, sql, breaks } of steps) {
    if (breaks === true) continue;
    const statements = sql
      .replaceAll(/--.*$/gm, "")
      .replaceAll(/BEGIN[^]*?END/g, "")
      .split(";");
    for (const statement of statements.map((each) => each.trim()).filter((each) => each !== ""))
      t.regex(statement, /^(CREATE (UNIQUE )?(TABLE|INDEX|TRIGGER) |ALTER TABLE \w+ ADD COLUMN )/, name);
  }
});
