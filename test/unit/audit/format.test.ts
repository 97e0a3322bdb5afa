import test from "ava";
import * as fc from "fast-check";
import {
  formatHeader,
  formatRecord,
  formatRecordLong,
  formatTime,
  type AuditRecord,
  type RecordDraft,
} from "../../../src/audit/index.ts";
import { columns } from "../../../src/base/index.ts";
import { ALICE, draft } from "./samples.ts";

const PLAIN = { color: false, timeZone: "Europe/Berlin" } as const;
const TIME = Date.UTC(2026, 4, 1, 6, 30, 15, 250);
const WHERE_AT = 75;

function stored(fields: Partial<RecordDraft>): AuditRecord {
  return { ...draft({ time: TIME, ...fields }), origin: "niac-1", index: 1_234, stored: TIME + 40 };
}

test("one line: time with offset, index, decision, who, where, what and why", (t) => {
  const denied = stored({ decision: "denial", stage: "value", rule: "recipes", reason: "9 is above 8" });
  t.is(
    formatRecord(denied, PLAIN),
    "2026-05-01 08:30:15.250+02:00      1234  DENIED  alice                     press-4/plc             " +
      "write multiple registers, holding registers 40..41 = 5, 6 (function 16, unit 1) — value: rule recipes: 9 is above 8",
  );
  t.is(
    formatHeader(PLAIN),
    "TIME                              INDEX          WHO                       WHERE                   WHAT",
  );
  t.is(formatHeader(PLAIN).indexOf("WHERE"), WHERE_AT);
  t.is(formatRecord(denied, PLAIN).indexOf("press-4"), WHERE_AT);
});

test("in a narrow terminal what and why stand below, indented, and cut after three lines", (t) => {
  const denied = stored({ decision: "denial", stage: "value", rule: "recipes", reason: "9 is above 8" });
  t.deepEqual(formatRecord(denied, { ...PLAIN, width: 100 }).split("\n"), [
    "2026-05-01 08:30:15.250+02:00      1234  DENIED  alice             press-4/plc",
    "    write multiple registers, holding registers 40..41 = 5, 6 (function 16, unit 1) — value: rule",
    "    recipes: 9 is above 8",
  ]);
  t.false(formatHeader({ ...PLAIN, width: 100 }).includes("WHAT"));
  const long = formatRecord({ ...denied, reason: "why ".repeat(100) }, { ...PLAIN, width: 100 }).split("\n");
  t.is(long.length, 4);
  t.true(long.at(-1)?.endsWith("…"));
  t.false(formatRecord(denied, { ...PLAIN, width: 148 }).includes("\n"));
});

test("the decision alone is coloured, and only when colour is asked for", (t) => {
  const color = { ...PLAIN, color: true };
  t.true(formatRecord(stored({}), color).includes("  \u001b[32mPERMIT\u001b[0m  alice"));
  t.true(formatRecord(stored({ decision: "denial" }), color).includes("  \u001b[31mDENIED\u001b[0m  alice"));
  t.false(formatRecord(stored({}), PLAIN).includes("\u001b"));
  const [plain, coloured] = [formatRecord(stored({}), PLAIN), formatRecord(stored({}), color)];
  t.is(coloured.replaceAll("\u001b[32m", "").replaceAll("\u001b[0m", ""), plain);
});

test("who is unverified is marked, who is unknown is its address", (t) => {
  const {
    identity: _identity,
    decision: _decision,
    ...nobody
  } = stored({ kind: "session.refused", source: "192.0.2.1:5000" });
  t.regex(formatRecord(nobody, PLAIN), / DENIED {2}192\.0\.2\.1:5000 {2,}press-4/);
  const presented = { subject: "CN=root", serialNumber: "1", fingerprint: "f" };
  t.regex(formatRecord({ ...nobody, presented }, PLAIN), / DENIED {2}\?CN=root {2,}press-4/);
});

test("a name with spaces is quoted, so that it cannot pass for two columns", (t) => {
  const line = formatRecord(stored({ identity: { ...ALICE, user: "al  press-9/plc" }, machine: "m" }), {
    ...PLAIN,
    width: 100,
  });
  t.true(line.includes('  "al  press-9/pl…  m/plc'));
});

test("who has no certificate is said to have none, and no certificate's name can pass for that", (t) => {
  const empty = {
    device: null,
    groups: [],
    role: null,
    tier: null,
    tenant: null,
    serialNumber: "",
    fingerprint: "",
  };
  const line = (identity: NonNullable<RecordDraft["identity"]>) => formatRecord(stored({ identity }), PLAIN);
  t.true(
    line({ ...empty, kind: "source", user: "scada-1" }).includes("  scada-1 (no certificate)  press-4/plc "),
  );
  t.true(
    line({ ...empty, kind: "machine", user: "hmi-1" }).includes("  hmi-1 (machine)           press-4/plc "),
  );
  t.true(line({ ...ALICE, user: "hmi-1 (machine)" }).includes('  "hmi-1 (machine)"         press-4/plc '));
  const long = formatRecordLong(stored({ identity: { ...empty, kind: "machine", user: "hmi-1" } }), PLAIN);
  t.regex(long, /^identity\.kind +machine$/m);
});

const nasty = fc.string({ unit: "binary", maxLength: 60 });
const hostile = fc.record({
  identity: nasty.map((user) => ({ ...ALICE, user, device: user, groups: [user] })),
  machine: nasty,
  service: nasty,
  rule: nasty,
  reason: nasty,
  stage: nasty,
  outcome: nasty,
  source: nasty,
  detail: nasty.map((text) => ({ [`k${text}`]: text })),
  kind: fc.constantFrom("operation", "session.refused", "process", "outcome", "site"),
});

test("hostile text leaves neither its column nor its line, and no width is exceeded", (t) => {
  const width = fc.integer({ min: 0, max: 200 });
  fc.assert(
    fc.property(hostile, width, nasty, (fields, most, words) => {
      const record = stored(fields);
      const line = formatRecord(record, { ...PLAIN, describe: () => words });
      t.regex(line, /^[\p{L}\p{N}\p{P}\p{S} ]*$/u);
      t.is(columns(line.slice(0, 49)), 49);
      t.is(line.slice(41, 47), "PERMIT");
      t.is(columns(until(line, WHERE_AT)), WHERE_AT);
      const [first = "", ...more] = formatRecord(record, { ...PLAIN, width: most }).split("\n");
      t.true(columns(first) <= most);
      t.true(more.length <= 3 && more.every((each) => each.startsWith("    ") && columns(each) <= most));
    }),
    { numRuns: 500 },
  );
});

test("the long form shows every field, each on a line of its own, whatever the text", (t) => {
  fc.assert(
    fc.property(hostile, (fields) => {
      const lines = formatRecordLong(stored(fields), PLAIN).split("\n");
      t.is(lines.length, 31);
      for (const line of lines) t.regex(line, /^[\p{L}\p{N}\p{P}\p{S} ]*$/u);
    }),
    { numRuns: 300 },
  );
});

test("the long form is aligned and cuts nothing", (t) => {
  const values = Array.from({ length: 30 }, (_, at) => at);
  const operation = {
    unit: 1,
    functionCode: 16,
    writes: { table: "coils", address: 0, quantity: 30, values },
  } as const;
  const text = formatRecordLong(stored({ operation, reason: "r".repeat(300) }), PLAIN);
  const lines = text.split("\n");
  const starts = lines.map((line) => /^\S+ +/.exec(line)?.[0].length);
  t.is(new Set(starts).size, 1);
  t.true(lines.some((line) => /^operation\.writes\.values +0, 1, 2, .*28, 29$/.test(line)));
  t.true(text.includes("r".repeat(300)));
  t.true(lines.some((line) => /^time +2026-05-01 08:30:15\.250\+02:00$/.test(line)));
  t.true(lines.some((line) => /^stored +2026-05-01 08:30:15\.290\+02:00$/.test(line)));
  t.true(lines.some((line) => /^identity\.tier +none$/.test(line)));
});

test("times carry the offset of their zone, in summer and in winter", (t) => {
  t.is(formatTime(TIME, "UTC"), "2026-05-01 06:30:15.250+00:00");
  t.is(formatTime(TIME, "Asia/Kolkata"), "2026-05-01 12:00:15.250+05:30");
  t.is(formatTime(Date.UTC(2026, 0, 1), "Europe/Berlin"), "2026-01-01 01:00:00.000+01:00");
  t.is(formatTime(0, "UTC"), "1970-01-01 00:00:00.000+00:00");
  t.is(formatTime(8.64e15, "UTC"), "275760-09-13 00:00:00.000+00:00");
});

/** As much of the line as fills the columns. */
function until(line: string, width: number): string {
  let shown = "";
  for (const character of line) {
    if (columns(shown + character) > width) break;
    shown += character;
  }
  return shown;
}
