import test from "ava";
import { RateBook } from "../../../src/policy/index.ts";
import { snapshotOf } from "./documents.ts";

function grantOf(operationsPerSecond: number | null, name = "paced") {
  const [grant] = snapshotOf({ grants: [{ name, rate: { operationsPerSecond } }] }).grants;
  if (grant === undefined) throw new Error("no grant");
  return grant;
}

/** Monotonic milliseconds of the book under test. */
let clock = 0;

function freshBook(): RateBook {
  clock = 0;
  return new RateBook(() => clock);
}

/** How many of `n` operations asked for at once are given. */
function given(
  book: RateBook,
  grant: ReturnType<typeof grantOf>,
  now: number,
  user = "alice",
  n = 50,
): number {
  clock = now;
  let count = 0;
  for (let i = 0; i < n; i++) if (book.take(grant, user)) count++;
  return count;
}

test("a burst is one second's worth, and no pause makes it more", (t) => {
  const book = freshBook();
  const grant = grantOf(10);
  t.deepEqual([given(book, grant, 0), given(book, grant, 500), given(book, grant, 60_000)], [10, 5, 10]);
});

test("less than one operation a second still gives one at first", (t) => {
  const book = freshBook();
  const grant = grantOf(0.5);
  t.deepEqual(
    [0, 1999, 2000, 9000].map((now) => given(book, grant, now)),
    [1, 0, 1, 1],
  );
});

test("no operation a second is none, no limit is no limit", (t) => {
  const book = freshBook();
  t.is(given(book, grantOf(0), 0), 0);
  t.is(given(book, grantOf(null), 0), 50);
  t.false(book.has(grantOf(0), "alice"));
  t.true(book.has(grantOf(null), "alice"));
});

test("asking whether there is one left spends none", (t) => {
  const book = freshBook();
  const grant = grantOf(1);
  t.true(book.has(grant, "alice") && book.has(grant, "alice"));
  t.true(book.take(grant, "alice"));
  t.false(book.has(grant, "alice"));
});

test("users and grants do not share, and a changed rate holds at once", (t) => {
  const book = freshBook();
  t.is(given(book, grantOf(10), 0), 10);
  t.is(given(book, grantOf(10), 0, "bob"), 10);
  t.is(given(book, grantOf(10, "other"), 0), 10);
  t.is(given(book, grantOf(2), 1000), 2);
});

test("a clock that goes back refills nothing", (t) => {
  const book = freshBook();
  const grant = grantOf(10);
  t.is(given(book, grant, 5000), 10);
  t.is(given(book, grant, 1000), 0);
  t.is(given(book, grant, 1100), 1);
});

test("with very many users those spent stay spent", (t) => {
  const book = freshBook();
  const grant = grantOf(1);
  clock = 700_000;
  for (let i = 0; i < 10_000; i++) book.take(grant, `user-${i}`);
  t.false(book.take(grant, "user-0"));
  t.false(book.take(grant, "user-9999"));
  clock = 701_000;
  t.true(book.take(grant, "user-0"));
});
