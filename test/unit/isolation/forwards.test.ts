import test from "ava";
import type { Tracked } from "../../../src/isolation/conntrack.ts";
import { ForwardBook, forwardViews, Ways } from "../../../src/isolation/forwards.ts";
import { planOf } from "../../../src/isolation/plan.ts";
import { PORTS } from "../../vectors/isolation/cases.ts";
import { historian, hmi, press, snapshot } from "./snapshots.ts";

const files = {
  ...historian,
  name: "files",
  machines: ["hmi-4", "press-4"],
  ports: [
    { start: 445, end: 445 },
    { start: 2_000, end: 2_999 },
  ],
};
const syslog = { ...historian, name: "syslog", transport: "udp" as const, ports: [{ start: 445, end: 445 }] };
const ways = new Ways(planOf({ ...snapshot, destinations: [historian, files, syslog] }, PORTS));

const sql: Tracked = {
  transport: "tcp",
  state: "ESTABLISHED",
  from: "10.20.0.50",
  fromPort: 50_000,
  to: "10.30.0.7",
  toPort: 1_433,
  packetsOut: 3,
  bytesOut: 300,
  packetsIn: 2,
  bytesIn: 200,
};

function grown(one: Tracked, times: number): Tracked {
  const { packetsOut, bytesOut, packetsIn, bytesIn } = one;
  const sums = { packetsOut: packetsOut * times, bytesOut: bytesOut * times };
  return { ...one, ...sums, packetsIn: packetsIn * times, bytesIn: bytesIn * times };
}

/** [machine, destination, connections, bytesOut, bytesIn, packetsOut, packetsIn] of each record. */
function reported(book: ForwardBook): unknown[] {
  return book
    .report(() => "id", 1_000, 60_000, 7)
    .map(({ machine, rule, counts }) => [
      machine,
      rule,
      counts?.["connections"],
      counts?.["bytesOut"],
      counts?.["bytesIn"],
      counts?.["packetsOut"],
      counts?.["packetsIn"],
    ]);
}

/** The name of the destination. */
function at(change: Partial<Tracked>): string | null {
  return ways.of({ ...sql, ...change })?.destination ?? null;
}

test("a connection's way is told by machine, address, transport and port", (t) => {
  t.is(at({}), "historian");
  t.is(at({ toPort: 445 }), "files");
  t.is(at({ toPort: 445, transport: "udp" }), "syslog");
  t.is(at({ from: "10.20.0.51", toPort: 1_433 }), null, "another machine's");
  t.is(at({ from: "10.20.0.51", toPort: 445 }), "files");
  t.deepEqual(
    [1_999, 2_000, 2_999, 3_000].map((toPort) => at({ toPort })),
    [null, "files", "files", null],
  );
  t.is(at({ to: "10.30.0.8" }), null);
  t.is(at({ from: "10.30.0.7", to: "10.20.0.50" }), null, "not the other way round");
});

test("who began it: a machine of the plan, or not", (t) => {
  t.true(ways.isMachines(sql));
  t.false(ways.isMachines({ ...sql, from: "10.20.0.52" }));
});

test("the view names machine, destination and both ends, and leaves out what is no way", (t) => {
  t.deepEqual(forwardViews(ways, [{ ...sql, to: "10.9.9.9" }, sql]), [
    {
      machine: "press-4",
      destination: "historian",
      source: "10.20.0.50:50000",
      target: "10.30.0.7:1433",
      transport: "tcp",
      state: "ESTABLISHED",
      packetsOut: 3,
      packetsIn: 2,
      bytesOut: 300,
      bytesIn: 200,
    },
  ]);
});

test("a record: what it says, and to whom it belongs", (t) => {
  const book = new ForwardBook();
  book.live(ways, [sql]);
  t.deepEqual(
    book.report(() => "id-1", 1_000, 60_000, 7),
    [
      {
        time: 1_000,
        kind: "flow",
        id: "id-1",
        machine: "press-4",
        rule: "historian",
        decision: "permit",
        reason: "press-4 to historian: 300 bytes out, 200 bytes in, 1 connection opened",
        counts: { connections: 1, bytesOut: 300, bytesIn: 200, packetsOut: 3, packetsIn: 2 },
        duration: 60_000,
        siteVersion: 7,
        detail: { destination: "10.30.0.7", transport: "tcp" },
      },
    ],
  );
});

test("each record holds what went over since the last, and a silent connection makes none", (t) => {
  const book = new ForwardBook();
  book.live(ways, [sql]);
  t.deepEqual(reported(book), [["press-4", "historian", 1, 300, 200, 3, 2]]);
  book.live(ways, [grown(sql, 3)]);
  t.deepEqual(reported(book), [["press-4", "historian", 0, 600, 400, 6, 4]]);
  book.live(ways, [grown(sql, 3)]);
  t.deepEqual(reported(book), []);
  book.ended(ways, grown(sql, 4));
  t.deepEqual(reported(book), [["press-4", "historian", 0, 300, 200, 3, 2]]);
});

test("connections of one machine to one destination are summed up, others apart", (t) => {
  const book = new ForwardBook();
  const panel = { ...sql, from: "10.20.0.51", toPort: 445 };
  book.live(ways, [
    sql,
    { ...sql, fromPort: 50_001 },
    panel,
    { ...panel, from: "10.20.0.50", transport: "udp" },
  ]);
  t.deepEqual(reported(book), [
    ["press-4", "historian", 2, 600, 400, 6, 4],
    ["hmi-4", "files", 1, 300, 200, 3, 2],
    ["press-4", "syslog", 1, 300, 200, 3, 2],
  ]);
});

test("one that began and ended between two looks is counted whole", (t) => {
  const book = new ForwardBook();
  book.ended(ways, sql);
  t.deepEqual(reported(book), [["press-4", "historian", 1, 300, 200, 3, 2]]);
});

test("ports used again after an end that was seen: a new connection, counted from nothing", (t) => {
  const book = new ForwardBook();
  book.live(ways, [sql]);
  book.ended(ways, sql);
  book.ended(ways, grown(sql, 2));
  t.deepEqual(reported(book), [["press-4", "historian", 2, 900, 600, 9, 6]]);
});

test("ports used again after an end that was not seen: smaller counters are a new connection's", (t) => {
  const book = new ForwardBook();
  book.live(ways, [grown(sql, 5)]);
  book.live(ways, [sql]);
  t.deepEqual(reported(book), [["press-4", "historian", 2, 1_800, 1_200, 18, 12]]);
});

test("a list that was made before an end and is read after it counts nothing twice", (t) => {
  const book = new ForwardBook();
  book.live(ways, [sql]);
  book.ended(ways, grown(sql, 2));
  book.live(ways, [sql]);
  book.live(ways, []);
  t.deepEqual(reported(book), [["press-4", "historian", 1, 600, 400, 6, 4]]);
});

test("ports used again at once after such an end are counted with the next list", (t) => {
  const book = new ForwardBook();
  book.ended(ways, grown(sql, 2));
  book.live(ways, [sql]);
  book.live(ways, [sql]);
  t.deepEqual(reported(book), [["press-4", "historian", 2, 900, 600, 9, 6]]);
});

test("one whose end was not seen is forgotten once it is no longer listed", (t) => {
  const book = new ForwardBook();
  book.live(ways, [sql]);
  book.live(ways, []);
  book.live(ways, [sql]);
  t.deepEqual(reported(book), [["press-4", "historian", 2, 600, 400, 6, 4]]);
});

test("what the kernel did not count makes a record of the connection alone", (t) => {
  const book = new ForwardBook();
  book.live(ways, [grown(sql, 0)]);
  t.deepEqual(reported(book), [["press-4", "historian", 1, 0, 0, 0, 0]]);
});

test("what is no way of the plan is not on record", (t) => {
  const book = new ForwardBook();
  const stranger = { ...sql, from: "10.20.0.99" };
  book.live(ways, [stranger, { ...sql, from: hmi.address ?? "", to: press.address ?? "" }]);
  book.ended(ways, stranger);
  t.deepEqual(reported(book), []);
});
