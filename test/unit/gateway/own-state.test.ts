import test from "ava";
import { ownRecord, ownWords } from "../../../src/gateway/own-state.ts";

const NOW = Date.UTC(2026, 10, 22, 12);
const HOUR = 3_600_000;

test("what is said of the gateway's certificate: when it ends, and what stands in the way", (t) => {
  const problem = "control, which signs it, is away";
  t.is(
    ownWords({ notAfter: NOW + 24 * HOUR, problem: null }, NOW),
    "the gateway has a new certificate of its own",
  );
  t.is(ownWords({ notAfter: null, problem }, NOW), `the gateway listens to nobody yet: ${problem}`);
  for (const [left, words] of [
    [16 * HOUR, "expires in 16 h, on 2026-11-23T04:00:00.000Z"],
    [HOUR, "expires in 60 min, on 2026-11-22T13:00:00.000Z"],
    [90_000, "expires in 90 s, on 2026-11-22T12:01:30.000Z"],
    [-HOUR, "expired on 2026-11-22T11:00:00.000Z"],
  ] as const) {
    t.is(
      ownWords({ notAfter: NOW + left, problem }, NOW),
      `the gateway's certificate cannot be renewed, and the one in use ${words}: ${problem}`,
    );
  }
});

test("its record fits, however long the problem's words are", (t) => {
  const { kind, reason, detail } = ownRecord({ notAfter: NOW, problem: "x".repeat(5_000) }, NOW);
  t.is(kind, "trust");
  t.is(reason?.length, 1_000);
  t.deepEqual(detail, { until: "2026-11-22T12:00:00.000Z" });
});
