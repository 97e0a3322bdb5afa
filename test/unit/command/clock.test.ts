import test from "ava";
import { clockLines, timeOf } from "../../../src/command/clock.ts";
import type { ClockView } from "../../../src/link/index.ts";

const NOW = Date.UTC(2026, 9, 1, 16);
const VIEW: ClockView = { now: NOW, floor: NOW - 1_000, source: { from: "chip" }, servers: [] };

test("a time to set has its date, its hour and its zone", (t) => {
  t.is(timeOf("2026-10-01T18:00Z"), Date.UTC(2026, 9, 1, 18));
  t.is(timeOf("2026-10-01T18:00:30+02:00"), Date.UTC(2026, 9, 1, 16, 0, 30));
  for (const wrong of [
    "",
    "now",
    "2026-10-01",
    "2026-10-01T18:00",
    "2026-10-01 18:00Z",
    "1790000000",
    "2026-13-01T00:00Z",
  ])
    t.throws(() => timeOf(wrong), undefined, wrong);
});

function from(source: ClockView["source"]): string {
  return clockLines({ ...VIEW, source })[1] ?? "";
}

test("where the time comes from is said", (t) => {
  t.is(from({ from: "chip" }), "from         the clock chip, at the start");
  t.is(from({ from: "hand", at: NOW }), "from         niac clock set, to 2026-10-01T16:00:00.000Z");
  t.is(
    from({ from: "server", address: "10.20.0.9", at: NOW }),
    "from         time server 10.20.0.9, last at 2026-10-01T16:00:00.000Z",
  );
  t.regex(from({ from: "nowhere" }), /niac clock set$/);
  t.regex(from({ from: "computer" }), /this computer/);
});

test("each time server is told with how far its time is from the clock's", (t) => {
  const lines = clockLines({
    ...VIEW,
    servers: [
      { address: "10.20.0.9", state: "followed", ahead: -0.42 },
      { address: "10.20.0.10", state: "answers", ahead: 250.4 },
      { address: "10.20.0.11", state: "disbelieved", ahead: 7_200_000 },
      { address: "10.20.0.12", state: "disbelieved", ahead: -7_200_000 },
      { address: "10.20.0.13", state: "silent", ahead: null },
    ],
  });
  t.deepEqual(lines.slice(2, -1), [
    "time server  10.20.0.9 is followed, 0.4 ms",
    "time server  10.20.0.10 answers, 250 ms",
    "time server  10.20.0.11 is not believed, 2 h ahead of the clock",
    "time server  10.20.0.12 is not believed, 2 h before the clock",
    "time server  10.20.0.13 does not answer",
  ]);
});

test("a clock before the latest time known is said, with what to do here", (t) => {
  t.is(clockLines(VIEW).length, 3);
  const behind = { ...VIEW, floor: NOW + 86_400_000 };
  t.regex(clockLines(behind).join("\n"), /24 h before the latest time known.*\n.*with `niac clock set`/);
  const elsewhere = clockLines({ ...behind, source: { from: "computer" } }).join("\n");
  t.regex(elsewhere, /Correct the clock; or, where it is right, `niac clock --accept`/);
});
