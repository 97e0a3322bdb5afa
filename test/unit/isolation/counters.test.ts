import test from "ava";
import { CounterBook, type Counts } from "../../../src/isolation/counters.ts";

const NONE: Counts = { spoofed: 0, options: 0, stranger: 0, flood: 0, crowded: 0, stray: 0, ipv6: 0 };
const MINUTE = 60_000;

/** [stage, packets, duration] of each record due at `now`. */
function due(book: CounterBook, now: number, all = false): unknown[] {
  return book
    .due(() => "id", now, 1_000, all)
    .map(({ stage, counts, duration }) => [stage, counts?.["packets"], duration]);
}

test("a record: what was dropped and why", (t) => {
  const book = new CounterBook();
  book.read({ ...NONE, spoofed: 12, ipv6: 1 }, 0);
  t.deepEqual(
    book.due(() => "id", 500, 1_700_000_000_000),
    [
      ["spoofed", 12, "12 packets sent with an address that cannot come from there were dropped"] as const,
      ["ipv6", 1, "1 packet of IPv6 was dropped"] as const,
    ].map(([stage, packets, reason]) => ({
      time: 1_700_000_000_000,
      kind: "flow.refused",
      id: "id",
      decision: "denial",
      stage,
      reason,
      counts: { packets },
      duration: 500,
    })),
  );
});

test("counters that stand still make no record", (t) => {
  const book = new CounterBook();
  book.read({ ...NONE, flood: 5 }, 0);
  t.deepEqual(due(book, 0), [["flood", 5, 0]]);
  book.read({ ...NONE, flood: 5 }, MINUTE);
  t.deepEqual(due(book, 60 * MINUTE, true), []);
});

test("the first is on record at once, what goes on in ever longer intervals, up to an hour", (t) => {
  const book = new CounterBook();
  const told: number[] = [];
  for (let minute = 0; minute <= 200; minute++) {
    book.read({ ...NONE, stray: minute + 1 }, minute * MINUTE);
    if (due(book, minute * MINUTE).length > 0) told.push(minute);
  }
  t.deepEqual(told, [0, 5, 15, 35, 75, 135, 195]);
});

test("what ended and comes again after its interval is on record at once", (t) => {
  const book = new CounterBook();
  book.read({ ...NONE, options: 1 }, 0);
  t.is(due(book, 0).length, 1);
  book.read({ ...NONE, options: 2 }, MINUTE);
  t.deepEqual(due(book, MINUTE), [], "too soon");
  t.deepEqual(due(book, 5 * MINUTE), [["options", 1, 4 * MINUTE]]);
  t.deepEqual(due(book, 15 * MINUTE), [], "nothing came, and it is forgotten");
  book.read({ ...NONE, options: 3 }, 16 * MINUTE);
  t.deepEqual(due(book, 16 * MINUTE), [["options", 1, 0]]);
});

test("a new ruleset counts from nothing: the sum goes on", (t) => {
  const book = new CounterBook();
  book.read({ ...NONE, spoofed: 100 }, 0);
  book.read({ ...NONE, spoofed: 30 }, 1);
  book.read({ ...NONE, spoofed: 31 }, 2);
  t.is(book.totals()["sent with an address that cannot come from there"], 131);
});

test("at a stop all is on record that was counted", (t) => {
  const book = new CounterBook();
  book.read({ ...NONE, crowded: 1 }, 0);
  t.is(due(book, 0).length, 1);
  book.read({ ...NONE, crowded: 4 }, 1_000);
  t.deepEqual(due(book, 1_500), []);
  t.deepEqual(due(book, 1_500, true), [["crowded", 3, 500]]);
});

test("what netd itself counts is told apart from what the ruleset does", (t) => {
  const book = new CounterBook();
  book.add("unheard", 3, 0);
  book.read({ ...NONE, stranger: 2 }, 0);
  t.deepEqual(
    Object.entries(book.totals()).filter(([, packets]) => packets > 0),
    [
      ["of a station on the device port that the site document does not know", 2],
      ["on the ports beyond what is listened to at once", 3],
    ],
  );
  t.deepEqual(due(book, 0), [
    ["unheard", 3, 0],
    ["stranger", 2, 0],
  ]);
});
