import test from "ava";
import { parseFilter, parseTime } from "../../../src/audit/index.ts";
import { UsageError } from "../../../src/base/index.ts";

const NOW = 1_780_000_000_000;

test("every field is read", (t) => {
  const words = [
    "kind=session.refused",
    "user=alice",
    "machine=press-4",
    "service=plc",
    "session=s-1",
    "decision=denial",
    "stage=address",
    "rule=a=b c",
    "fingerprint=AB:CD",
    "since=2h",
    "until=15m",
  ];
  t.deepEqual(parseFilter(words, NOW), {
    kind: "session.refused",
    user: "alice",
    machine: "press-4",
    service: "plc",
    session: "s-1",
    decision: "denial",
    stage: "address",
    rule: "a=b c",
    fingerprint: "abcd",
    since: NOW - 7_200_000,
    until: NOW - 900_000,
  });
  t.deepEqual(parseFilter([], NOW), {});
});

const times: readonly (readonly [text: string, time: number])[] = [
  ["90s", NOW - 90_000],
  ["3d", NOW - 259_200_000],
  ["1w", NOW - 604_800_000],
  ["999999999w", 0],
  ["2026-05-01T08:30:15Z", Date.UTC(2026, 4, 1, 8, 30, 15)],
  ["2026-05-01T08:30:15.25Z", Date.UTC(2026, 4, 1, 8, 30, 15, 250)],
  ["2026-05-01 08:30+02:00", Date.UTC(2026, 4, 1, 6, 30)],
  ["2026-05-01T08:30", new Date(2026, 4, 1, 8, 30).getTime()],
  ["2026-05-01", new Date(2026, 4, 1).getTime()],
  ["2028-02-29", new Date(2028, 1, 29).getTime()],
];

for (const [text, time] of times) {
  test(`time ${text}`, (t) => {
    t.is(parseTime(text, NOW), time);
  });
}

for (const text of [
  "",
  "2",
  "h",
  "2y",
  "-2h",
  "2026-02-30",
  "2026-13-01",
  "2026-05-01T25:00",
  "2026-05-01T08",
  "yesterday",
  "2h ",
]) {
  test(`no time: "${text}"`, (t) => {
    const error = t.throws(() => parseTime(text, NOW), { instanceOf: UsageError, code: "audit-filter" });
    t.regex(error.advice ?? "", /2h/);
  });
}

const wrong: readonly (readonly [words: readonly string[], message: RegExp, advice: RegExp])[] = [
  [["alice"], /"alice" is no filter/, /user=alice/],
  [["usr=alice"], /no filter field "usr"/, /Did you mean user\?/],
  [["xyzzy=1"], /no filter field "xyzzy"/, /^Known: kind, user/],
  [["=1"], /no filter field ""/, /Known/],
  [["user="], /user has no value/, /leave it out/],
  [["user=a", "user=b"], /user is given twice/, /once/],
  [["decision=denied"], /no decision "denied"/, /Did you mean denial\?/],
  [["decision=allow"], /no decision "allow"/, /Did you mean permit\?/],
  [["kind=operatoin"], /no kind "operatoin"/, /Did you mean operation\?/],
  [["kind=deny"], /no kind "deny"/, /^Known: session.start/],
  [["kind=mal"], /no kind "mal"/, /Did you mean malformed\?/],
  [["since=1h", "until=2h"], /since=.* is not before until=/, /Exchange/],
  [["since=1h", "until=1h"], /not before/, /Exchange/],
];

for (const [words, message, advice] of wrong) {
  test(`refused with a hint: ${words.join(" ")}`, (t) => {
    const error = t.throws(() => parseFilter(words, NOW), {
      instanceOf: UsageError,
      code: "audit-filter",
      message,
    });
    t.regex(error.advice ?? "", advice);
  });
}
