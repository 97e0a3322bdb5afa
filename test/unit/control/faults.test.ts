import test from "ava";
import { faultsOf, type BoxStanding } from "../../../src/control/box-faults.ts";
import { FaultBook, stateText } from "../../../src/control/faults.ts";
import { StillClock } from "../machine/requests.ts";

const WELL: BoxStanding = {
  gatewayAway: false,
  netdAway: false,
  ruleset: null,
  network: [],
  certificate: { notAfter: 1, problem: null },
  audit: "writing",
  clockBehind: 0,
  health: { temperature: 79.9, clockChip: "keeps time", storage: { free: 5, size: 100 }, sealed: "card" },
  panel: null,
};

function wrong(standing: Partial<BoxStanding>): string[] {
  return faultsOf({ ...WELL, ...standing }).flatMap(({ source, why }) =>
    why === null ? [] : [`${source}: ${why}`],
  );
}

test("a box that is well has no fault, nor has one that nobody can measure", (t) => {
  t.deepEqual(wrong({}), []);
  t.deepEqual(
    wrong({
      certificate: null,
      health: { temperature: null, clockChip: "none", storage: null, sealed: null },
    }),
    [],
  );
});

test("each thing that is wrong is said, with the value and the limit, and with what to do", (t) => {
  const { health } = WELL;
  const cases: ReadonlyArray<[Partial<BoxStanding>, RegExp]> = [
    [{ gatewayAway: true }, /^gateway: the gateway does not run: nobody can connect$/],
    [{ netdAway: true }, /^netd: .*the ruleset in force stays/],
    [{ ruleset: "the kernel refused it" }, /^ruleset: the kernel refused it$/],
    [{ network: ["uplink", "device"] }, /^network: uplink; device$/],
    [{ certificate: { notAfter: null, problem: "no authority" } }, /^certificate: .*: no authority$/],
    [{ audit: "full" }, /^record: the storage is full/],
    [{ clockBehind: 3_600_000 }, /^clock: the clock stands 60 min before/],
    [{ health: { ...health, clockChip: "lost" } }, /^clock chip: .*lost the time/],
    [{ health: { ...health, temperature: 80 } }, /^heat: the box is hotter than 80 °C/],
    [
      { health: { ...health, storage: { free: 49, size: 1_000 } } },
      /^storage: less than 5 % of the storage is free$/,
    ],
    [{ panel: "it went away" }, /^panel: .*: it went away$/],
  ];
  for (const [standing, said] of cases) {
    const [only, ...others] = wrong(standing);
    t.regex(only ?? "", said);
    t.deepEqual(others, []);
  }
  for (const { advice } of faultsOf(WELL)) t.not(advice, "");
});

test("a fault keeps since when it is, whatever else is said of it; the oldest is first", (t) => {
  const clock = new StillClock();
  const book = new FaultBook(clock);
  book.set("update", "it failed", "Try again.");
  clock.time = 1_000;
  book.set("heat", "hot");
  book.set("update", "it failed twice", "Try another.");
  t.deepEqual(book.all, [
    { source: "update", why: "it failed twice", advice: "Try another.", since: 0 },
    { source: "heat", why: "hot", advice: "", since: 1_000 },
  ]);
  book.set("update", null);
  book.set("never", null);
  t.deepEqual(
    book.all.map(({ source }) => source),
    ["heat"],
  );
  book.set("update", "again");
  t.is(book.all.at(-1)?.since, 1_000);
});

test("the console's text is how the box stands, and each fault with what to do", (t) => {
  t.is(stateText("protected", []), "protected\n");
  const faults = [
    { source: "heat", why: "hot", advice: "Cool it.", since: 0 },
    { source: "x", why: "odd", advice: "", since: 0 },
  ];
  t.is(stateText("not whole", faults), "not whole\n! hot\n  Cool it.\n! odd\n");
});
