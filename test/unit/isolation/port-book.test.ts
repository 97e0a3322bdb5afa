import test from "ava";
import { parseDrafts } from "../../../src/audit/schema.ts";
import { PortBook } from "../../../src/isolation/port-book.ts";
import { TestClock } from "./clock.ts";

const PORT = ["uplink", "eth0"] as const;

function flaps(book: PortBook, times: number): string[] {
  return Array.from({ length: times }, () => [...book.see(...PORT, "down"), ...book.see(...PORT, "up")])
    .flat()
    .map(({ reason }) => reason ?? "");
}

function fresh(): { clock: TestClock; book: PortBook; due: (all?: boolean) => string[] } {
  const clock = new TestClock();
  let ids = 0;
  const book = new PortBook(clock, () => `netd-${ids++}`);
  book.see(...PORT, "up");
  const due = (all = false): string[] => {
    const drafts = book.due(all);
    parseDrafts(drafts);
    return drafts.map(({ reason }) => reason ?? "");
  };
  return { clock, book, due };
}

test("a cable that is pulled and put back is two records", (t) => {
  const { clock, book, due } = fresh();
  t.deepEqual(book.see(...PORT, "up"), [], "no change");
  t.deepEqual(flaps(book, 1), [
    "the uplink (eth0) is down, it was up",
    "the uplink (eth0) is up, it was down",
  ]);
  clock.pass(3_600_000);
  t.deepEqual(due(), []);
  t.is(flaps(book, 3).length, 6);
});

test("a cable that flaps is told six times, then summed up at growing intervals", (t) => {
  const { clock, book, due } = fresh();
  t.is(flaps(book, 50).length, 6);
  clock.pass(59_999);
  t.deepEqual(due(), []);
  clock.pass(1);
  t.deepEqual(due(), ["the uplink (eth0) came and went 94 more times in 60 s, and is up: see to its cable"]);
  t.deepEqual(due(), []);
  t.deepEqual(flaps(book, 1), [], "still flapping");
  clock.pass(60_000);
  t.deepEqual(due(), []);
  clock.pass(60_000);
  t.is(due().length, 1);
  let records = 0;
  for (let hours = 0; hours < 24 * 60; hours++) {
    records += flaps(book, 10).length;
    clock.pass(60_000);
    records += due().length;
  }
  t.true(records > 24 && records < 40, `${records} records of a day`);
});

test("after a quiet span each change is told again", (t) => {
  const { clock, book, due } = fresh();
  flaps(book, 10);
  clock.pass(60_000);
  t.is(due().length, 1);
  clock.pass(120_000);
  t.is(flaps(book, 1).length, 2);
});

test("at a stop, what is not told yet is told", (t) => {
  const { book, due } = fresh();
  flaps(book, 4);
  t.is(due(true).length, 1);
  t.is(due(true).length, 0);
});
