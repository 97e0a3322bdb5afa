import test from "ava";
import { parseDrafts } from "../../../src/audit/index.ts";
import { recordedIdentity, recordedOperation } from "../../../src/gateway/recorded.ts";
import { withoutCertificate } from "../../../src/identity/index.ts";
import type { Operation } from "../../../src/modbus/index.ts";
import { ALICE, reading, writing } from "../machine/requests.ts";

const SHAPES: ReadonlyArray<readonly [string, Operation, unknown]> = [
  [
    "a read",
    reading(10, 3),
    { unit: 1, functionCode: 3, reads: { table: "holdingRegisters", address: 10, quantity: 3 } },
  ],
  [
    "a write, with its values",
    writing(10, 7),
    {
      unit: 1,
      functionCode: 6,
      writes: { table: "holdingRegisters", address: 10, quantity: 1, values: [7] },
    },
  ],
  [
    "a mask",
    {
      ...writing(10, 0),
      functionCode: 22,
      writes: { table: "holdingRegisters", address: 10, quantity: 1, and: 0xf0, or: 5 },
    },
    {
      unit: 1,
      functionCode: 22,
      writes: { table: "holdingRegisters", address: 10, quantity: 1, and: 0xf0, or: 5 },
    },
  ],
  [
    "written files, with their values",
    {
      ...reading(0),
      functionCode: 21,
      reads: null,
      files: [{ file: 4, record: 7, length: 1, values: [99] }],
    },
    { unit: 1, functionCode: 21, files: [{ file: 4, record: 7, length: 1, values: [99] }] },
  ],
  [
    "data, as hexadecimal",
    { ...reading(0), functionCode: 8, subFunction: 0, reads: null, data: Uint8Array.of(0xa5, 0x37) },
    { unit: 1, functionCode: 8, subFunction: 0, data: "a537" },
  ],
  [
    "a whole body of what niac does not know",
    { ...reading(0), functionCode: 100, reads: null, data: new Uint8Array(252).fill(255) },
    { unit: 1, functionCode: 100, data: "ff".repeat(252) },
  ],
];

for (const [what, operation, expected] of SHAPES) {
  test(`${what} is recorded with the parts it has, in a form the log takes`, (t) => {
    const recorded = recordedOperation(operation);
    t.deepEqual<unknown, unknown>(recorded, expected);
    t.notThrows(() => parseDrafts([{ time: 1, kind: "operation", id: "one", operation: recorded }]));
  });
}

test("an identity is recorded as who it is, without its validity", (t) => {
  const recorded = recordedIdentity(ALICE);
  t.deepEqual(recorded, {
    user: "alice",
    device: null,
    groups: [],
    role: null,
    tier: null,
    tenant: null,
    serialNumber: "01",
    fingerprint: "00",
  });
});

test("who has no certificate is recorded as what he is, and a certificate as before", (t) => {
  for (const kind of ["source", "machine"] as const) {
    const identity = recordedIdentity(withoutCertificate(kind, "hmi-1"));
    const [draft] = parseDrafts([{ time: 1, id: "id", kind: "session.start", identity }]);
    t.deepEqual(draft?.identity, {
      kind,
      user: "hmi-1",
      device: null,
      groups: [],
      role: null,
      tier: null,
      tenant: null,
      serialNumber: "",
      fingerprint: "",
    });
  }
  t.false("kind" in recordedIdentity(ALICE));
});
