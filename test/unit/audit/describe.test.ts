import test from "ava";
import {
  describeOperation,
  describeRecord,
  type AuditRecord,
  type RecordDraft,
  type RecordOperation,
} from "../../../src/audit/index.ts";
import { draft } from "./samples.ts";

const operations: readonly (readonly [operation: RecordOperation, words: string])[] = [
  [
    { unit: 1, functionCode: 5, writes: { table: "coils", address: 12, quantity: 1, values: [1] } },
    "write single coil, coil 12 = 1 (function 5, unit 1)",
  ],
  [
    {
      unit: 1,
      functionCode: 16,
      writes: {
        table: "holdingRegisters",
        address: 0,
        quantity: 10,
        values: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
      },
    },
    "write multiple registers, holding registers 0..9 = 1, 2, 3, 4, 5, 6, 7, 8, … 10 values (function 16, unit 1)",
  ],
  [
    {
      unit: 2,
      functionCode: 22,
      writes: { table: "holdingRegisters", address: 4, quantity: 1, and: 0xf2, or: 0x25 },
    },
    "mask write register, holding register 4 and 0xf2 or 0x25 (function 22, unit 2)",
  ],
  [
    {
      unit: 2,
      functionCode: 23,
      reads: { table: "holdingRegisters", address: 3, quantity: 6 },
      writes: { table: "holdingRegisters", address: 14, quantity: 1, values: [255] },
    },
    "read/write multiple registers, holding register 14 = 255, reading holding registers 3..8 (function 23, unit 2)",
  ],
  [
    { unit: 1, functionCode: 8, subFunction: 1, data: "ff00" },
    "diagnostics 1, data ff00 (function 8, unit 1)",
  ],
  [
    { unit: 1, functionCode: 21, files: [{ file: 4, record: 7, length: 3 }] },
    "write file record, file 4 record 7 length 3 (function 21, unit 1)",
  ],
  [{ unit: 0, functionCode: 99 }, "unknown function (function 99, unit 0)"],
];

for (const [operation, words] of operations) {
  test(words, (t) => {
    t.is(describeOperation(operation), words);
  });
}

const bare = { time: 0, id: "x" };
const records: readonly (readonly [draft: RecordDraft, words: string])[] = [
  [{ ...bare, kind: "session.start" }, "session opened"],
  [
    { ...bare, kind: "session.end", duration: 61_500, counts: { writes: 3, bytesIn: 9 } },
    "session ended after 61.5 s: 3 writes, 9 bytes in",
  ],
  [{ ...bare, kind: "session.refused" }, "refused"],
  [
    { ...bare, kind: "session.refused", presented: { subject: "CN=x", serialNumber: "1", fingerprint: "f" } },
    "refused, presented CN=x",
  ],
  [{ ...bare, kind: "operation" }, "operation"],
  [{ ...bare, kind: "outcome", outcome: "ok" }, "done by the machine"],
  [{ ...bare, kind: "outcome", outcome: "exception", exception: 0x0b }, "answered with an exception 0B"],
  [{ ...bare, kind: "outcome", outcome: "timeout" }, "no answer in time; the machine may have done it"],
  [{ ...bare, kind: "outcome", outcome: "new-word" }, "outcome new-word"],
  [{ ...bare, kind: "outcome" }, "unknown whether the machine did it"],
  [
    { ...bare, kind: "session.end", duration: 7, counts: { bytesOut: 1, denials: 1, reads: 0, lost: 2 } },
    "session ended: 1 denial, 1 byte out, 2 lost",
  ],
  [
    { ...bare, kind: "reads", duration: 60_000, counts: { "read coils 40..49": 120, "read coil 1": 1 } },
    "read coils 40..49 120 times, read coil 1 once, in 60.0 s",
  ],
  [{ ...bare, kind: "malformed", bytes: "00ff" }, "malformed frame 00ff"],
  [
    { ...bare, kind: "site", siteVersion: 7, detail: { action: "applied" } },
    "site (version 7, action applied)",
  ],
  [
    { ...bare, kind: "process", detail: { event: "gateway lost", pid: 7, clean: false } },
    "process (event gateway lost, pid 7, clean false)",
  ],
  [{ ...bare, kind: "admin", reason: "root ends the session" }, "root ends the session"],
];

for (const [handedIn, words] of records) {
  test(`${handedIn.kind}: ${words}`, (t) => {
    t.is(describeRecord(stored(handedIn)), words);
  });
}

test("the words for an operation may be somebody else's", (t) => {
  t.is(
    describeRecord(stored(draft()), ({ functionCode }) => `FC${functionCode}`),
    "FC16",
  );
});

function stored(handedIn: RecordDraft): AuditRecord {
  return { ...handedIn, origin: "niac-1", index: 0, stored: 0 };
}
