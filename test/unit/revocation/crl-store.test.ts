import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { openDatabase, type Database } from "../../../src/audit/index.ts";
import { EntryPacker, REMOVED } from "../../../src/revocation/crl-packed.ts";
import { createOutside, CrlStore, type HeldList } from "../../../src/revocation/crl-store.ts";

const ISSUER = "aa".repeat(32);

interface Teardown {
  teardown(finish: () => void): void;
}

function open(t: Teardown): Database {
  const dir = mkdtempSync(join(tmpdir(), "niac-crl-"));
  const db = openDatabase(join(dir, "niac.db"), [createOutside]);
  t.teardown(() => {
    db.close();
    rmSync(dir, { recursive: true, force: true });
  });
  return db;
}

function list(number: bigint, more: Partial<HeldList> = {}): HeldList {
  const base = { number, baseNumber: number, thisUpdate: 1, nextUpdate: 2, baseHash: "b", hash: "h" };
  return { ...base, entries: 0, changes: 0, received: 3, receivedBy: "fetched", ...more };
}

function packed(serials: readonly string[], reason = 1): Uint8Array {
  const packer = new EntryPacker();
  for (const serial of serials) packer.add(Buffer.from(serial, "hex"), 1_000, reason);
  return packer.take().bytes;
}

function serialAt(index: number): string {
  return index.toString(16).padStart(32, "0");
}

function count(db: Database): unknown {
  return db.prepare("SELECT count(*) FROM outside_entries").pluck().get();
}

test("a list is there as it was put, numbers over 64 bits too; another issuer has none", async (t) => {
  const store = new CrlStore(open(t));
  const held = list(2n ** 150n, { baseNumber: null });
  await store.put(ISSUER, held, false, packed(["01", "0100"]));
  t.deepEqual(store.held(ISSUER), held);
  t.deepEqual(store.find(ISSUER, "0100"), { revokedAt: 1_000, reason: 1 });
  t.is(store.find(ISSUER, "02"), null);
  t.is(store.held("bb"), null);
  t.is(store.find("bb", "01"), null);
});

test("while a list of 100,000 is written others have their turn, and the old one counts until the last entry is there", async (t) => {
  const db = open(t);
  const store = new CrlStore(db);
  await store.put(ISSUER, list(1n), false, packed(["01"]));
  const serials = Array.from({ length: 100_000 }, (_, index) => serialAt(index + 256));
  let turns = 0;
  let done = false;
  const looked: boolean[] = [];
  const look = (): void => {
    if (done) return;
    turns += 1;
    looked.push(store.find(ISSUER, "01") !== null && store.find(ISSUER, serials[0]!) === null);
    setImmediate(look);
  };
  setImmediate(look);
  await store.put(ISSUER, list(2n), false, packed(serials));
  done = true;
  t.true(turns > 5, `${turns} turns`);
  t.true(looked.every(Boolean), "the old list, whole, at every look");
  t.is(store.find(ISSUER, "01"), null);
  t.deepEqual(
    [serials[0]!, serials[50_000]!, serials[99_999]!].map((serial) => store.find(ISSUER, serial)?.reason),
    [1, 1, 1],
  );
  t.is(count(db), 100_001);
  await store.sweep();
  t.is(count(db), 100_000, "what was replaced is removed");
});

test("a list that a crash left unfinished counts for nothing, and is removed", async (t) => {
  const db = open(t);
  const store = new CrlStore(db);
  await store.put(ISSUER, list(1n), false, packed(["01"]));
  const dying = new CrlStore(db);
  const put = dying.put(
    ISSUER,
    list(2n),
    false,
    packed(Array.from({ length: 50_000 }, (_, index) => serialAt(index + 256))),
  );
  // As at a crash: some entries are on disk, and nobody goes on.
  dying.close();
  await put;
  t.true(Number(count(db)) > 1, "something was left");
  const after = new CrlStore(db);
  t.is(after.held(ISSUER)?.number, 1n);
  t.deepEqual(after.find(ISSUER, "01"), { revokedAt: 1_000, reason: 1 });
  await after.sweep();
  t.is(count(db), 1);
  t.is(db.prepare("SELECT count(*) FROM outside_generations").pluck().get(), 1);
});

test("a delta is laid over its list, and gone with the next complete one", async (t) => {
  const db = open(t);
  const store = new CrlStore(db);
  await store.put(ISSUER, list(1n), false, packed(["01", "02"]));
  await store.put(ISSUER, list(2n, { baseNumber: 1n }), true, packed(["01"], REMOVED));
  t.is(store.find(ISSUER, "01"), null);
  t.is(store.find(ISSUER, "02")?.reason, 1);
  await store.put(ISSUER, list(3n, { baseNumber: 1n }), true, packed(["03"], 4));
  t.is(store.find(ISSUER, "01")?.reason, 1);
  t.is(store.find(ISSUER, "03")?.reason, 4);
  await store.put(ISSUER, list(4n), false, packed(["02"]));
  t.is(store.find(ISSUER, "01"), null);
  t.is(store.find(ISSUER, "03"), null);
  await store.sweep();
  t.is(count(db), 1);
});

test("a list that cannot be written leaves the old one as it was", async (t) => {
  const db = open(t);
  const store = new CrlStore(db);
  await store.put(ISSUER, list(1n), false, packed(["01"]));
  db.pragma(`max_page_count = ${String(db.pragma("page_count", { simple: true }))}`);
  const many = packed(Array.from({ length: 20_000 }, (_, index) => serialAt(index + 256)));
  await t.throwsAsync(store.put(ISSUER, list(2n), false, many), { code: "SQLITE_FULL" });
  t.is(store.held(ISSUER)?.number, 1n);
  db.pragma("max_page_count = 1000000");
  await store.sweep();
  await store.put(ISSUER, list(2n), false, many);
  t.is(store.held(ISSUER)?.number, 2n);
  t.is(count(db), 20_001);
});
