import test from "ava";
import {
  MAX_DRAFTS,
  MAX_RECORD_BYTES,
  parseDrafts,
  parseRecord,
  RECORD_KINDS,
  type RecordDraft,
} from "../../../src/audit/index.ts";
import { BugError, PeerError } from "../../../src/base/index.ts";
import { ALICE, draft, openLog } from "./samples.ts";

const write = { unit: 1, functionCode: 16 };
const range = { table: "holdingRegisters", address: 0, quantity: 1 };

/** Over the wire, so that nothing the types forbid is kept out of the test. */
function asSent(fields: object): unknown {
  return JSON.parse(JSON.stringify([{ ...draft(), ...fields }]));
}

test("every kind is taken, with every field it may have", (t) => {
  const all: Omit<Required<RecordDraft>, "kind" | "id"> = {
    time: 0,
    session: "s",
    identity: ALICE,
    presented: { subject: "CN=x", serialNumber: "1", fingerprint: "f" },
    source: "192.0.2.1:50000",
    machine: "press-4",
    service: "plc",
    operation: {
      unit: 255,
      functionCode: 23,
      subFunction: 0xffff,
      reads: { table: "coils", address: 0xffff, quantity: 1 },
      writes: {
        table: "holdingRegisters",
        address: 0,
        quantity: 0x1_0000,
        values: [0, 0xffff],
        and: 0,
        or: 1,
      },
      files: [{ file: 1, record: 2, length: 3 }],
      data: "00ff",
    },
    decision: "denial",
    stage: "address",
    rule: "r",
    reason: "because",
    ref: "other",
    outcome: "ok",
    exception: 255,
    bytes: "00",
    counts: { "3 holdingRegisters 0..9": 4 },
    duration: 0,
    siteVersion: 0,
    detail: { text: "x", number: -1.5, flag: false },
  };
  for (const kind of RECORD_KINDS) {
    const sent = [{ ...all, kind, id: kind }];
    t.deepEqual(parseDrafts(JSON.parse(JSON.stringify(sent))), sent);
  }
});

const limits: readonly (readonly [what: string, largest: object, over: object])[] = [
  [
    "user",
    { identity: { ...ALICE, user: "u".repeat(255) } },
    { identity: { ...ALICE, user: "u".repeat(256) } },
  ],
  [
    "groups",
    { identity: { ...ALICE, groups: Array(256).fill("g") } },
    { identity: { ...ALICE, groups: Array(257).fill("g") } },
  ],
  ["id", { id: "i".repeat(255) }, { id: "i".repeat(256) }],
  ["machine", { machine: "m".repeat(255) }, { machine: "m".repeat(256) }],
  ["reason", { reason: "r".repeat(1_024) }, { reason: "r".repeat(1_025) }],
  ["bytes", { bytes: "0".repeat(600) }, { bytes: "0".repeat(602) }],
  [
    "data",
    { operation: { ...write, data: "0".repeat(506) } },
    { operation: { ...write, data: "0".repeat(508) } },
  ],
  [
    "values",
    { operation: { ...write, writes: { ...range, values: Array(2_000).fill(1) } } },
    { operation: { ...write, writes: { ...range, values: Array(2_001).fill(1) } } },
  ],
  [
    "a value",
    { operation: { ...write, writes: { ...range, values: [65_535] } } },
    { operation: { ...write, writes: { ...range, values: [65_536] } } },
  ],
  ["unit", { operation: { ...write, unit: 255 } }, { operation: { ...write, unit: 256 } }],
  [
    "quantity",
    { operation: { ...write, reads: { ...range, quantity: 65_536 } } },
    { operation: { ...write, reads: { ...range, quantity: 65_537 } } },
  ],
  ["time", { time: 8.64e15 }, { time: 8.64e15 + 2 }],
  ["time below", { time: 0 }, { time: -1 }],
  ["counts", { counts: entries(1_000, 1) }, { counts: entries(1_001, 1) }],
  ["detail", { detail: entries(64, true) }, { detail: entries(65, true) }],
];

for (const [what, largest, over] of limits) {
  test(`${what}: the largest is taken, one over is refused`, (t) => {
    t.is(parseDrafts(asSent(largest)).length, 1);
    t.throws(() => parseDrafts(asSent(over)), { instanceOf: PeerError, code: "audit-draft" });
  });
}

const refused: readonly (readonly [what: string, sent: unknown, message: RegExp])[] = [
  ["no list", { ...draft() }, /array/],
  ["no object", [null], /0: /],
  ["an unknown key", asSent({ admin: true }), /admin/],
  ["an unknown key further in", asSent({ identity: { ...ALICE, sudo: true } }), /0\.identity: .*sudo/],
  ["index and origin, which are not the writer's to say", asSent({ index: 0, origin: "x" }), /index/],
  ["a kind there is not", asSent({ kind: "operations" }), /0\.kind/],
  [
    "a kind of identity there is not",
    asSent({ identity: { ...ALICE, kind: "certificate" } }),
    /0\.identity\.kind/,
  ],
  ["an id with a control character", asSent({ id: "a\nb" }), /0\.id/],
  ["an empty id", asSent({ id: "" }), /0\.id/],
  ["a time that is no whole number", asSent({ time: 1.5 }), /0\.time/],
  ["null where a field is to be left out", asSent({ machine: null }), /0\.machine/],
  ["upper-case hexadecimal, a second spelling", asSent({ bytes: "AB" }), /0\.bytes/],
  ["half a byte", asSent({ bytes: "abc" }), /0\.bytes/],
  ["an object within the flat extras", asSent({ detail: { deep: { er: 1 } } }), /0\.detail/],
  ["a negative count", asSent({ counts: { reads: -1 } }), /0\.counts/],
  ["a list where a map belongs", asSent({ counts: [1] }), /0\.counts/],
  [
    "__proto__ as a key of a map",
    JSON.parse(JSON.stringify([draft()]).replace(/\}\]$/, `,"counts":{"__proto__":1}}]`)),
    /counts/,
  ],
  [
    "__proto__ as a key of a draft",
    JSON.parse(JSON.stringify([draft()]).replace(/\}\]$/, `,"__proto__":{}}]`)),
    /__proto__/,
  ],
];

for (const [what, sent, message] of refused) {
  test(`refused: ${what}`, (t) => {
    t.throws(() => parseDrafts(sent), { instanceOf: PeerError, code: "audit-draft", message });
  });
}

test(`${MAX_DRAFTS} drafts are taken at once, one more is refused`, (t) => {
  t.is(parseDrafts(Array(MAX_DRAFTS).fill(draft())).length, MAX_DRAFTS);
  t.throws(() => parseDrafts(Array(MAX_DRAFTS + 1).fill(draft())), { code: "audit-draft" });
});

test("half a surrogate pair, left by cutting a name, is replaced and not refused", (t) => {
  const [parsed] = parseDrafts([draft({ reason: "cut \ud83d" })]);
  t.is(parsed?.reason, "cut \ufffd");
});

test(`a record of ${MAX_RECORD_BYTES} bytes is stored, one byte more is refused`, async (t) => {
  const { log } = openLog(t, { clock: { now: () => 1, monotonic: () => 0 } });
  const small = draft({ id: "a", detail: {}, counts: padding(0) });
  await log.append([small], "now");
  const bytes = Buffer.byteLength(JSON.stringify(log.get(0)));
  const room = MAX_RECORD_BYTES - bytes;
  await log.append([{ ...small, id: "b", counts: padding(room) }], "now");
  t.is(Buffer.byteLength(JSON.stringify(log.get(1))), MAX_RECORD_BYTES);
  const over = log.append([{ ...small, id: "c", counts: padding(room + 1) }], "now");
  await t.throwsAsync(over, {
    instanceOf: PeerError,
    code: "audit-draft",
    message: /60001 bytes, 60000 are allowed/,
  });
  t.is(log.size, 2);
});

test("what stands in the database and is no record is reported, not passed on", (t) => {
  for (const json of ["", "{", "{}", JSON.stringify({ ...draft(), origin: "x", index: 0 })]) {
    t.throws(() => parseRecord(json), { instanceOf: BugError, code: "audit-doubt" });
  }
});

function entries<T>(count: number, value: T): Record<string, T> {
  return Object.fromEntries(Array.from({ length: count }, (_, at) => [`k${at}`, value]));
}

/** 300 keys of 5 to 255 characters: `bytes` more than with none. */
function padding(bytes: number): Record<string, number> {
  let left = bytes;
  return Object.fromEntries(
    Array.from({ length: 300 }, (_, at) => {
      const more = Math.min(left, 250);
      left -= more;
      return [String(at).padStart(5, "k") + "x".repeat(more), 1];
    }),
  );
}
