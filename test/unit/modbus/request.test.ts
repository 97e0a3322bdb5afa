import test from "ava";
import * as fc from "fast-check";
import { BugError, PeerError } from "../../../src/base/index.ts";
import { decodeRequest, encodeRequest, MAX_PDU, PUBLIC_FUNCTIONS } from "../../../src/modbus/index.ts";
import { anyOperation } from "./arbitraries.ts";
import { readRequests, validRequests } from "./vectors.ts";

const UNIT = 17;

function encode(operation: Parameters<typeof encodeRequest>[0]): Buffer {
  const out = Buffer.alloc(MAX_PDU);
  return out.subarray(0, encodeRequest(operation, out, 0));
}

for (const vector of readRequests()) {
  test(vector.name, (t) => {
    const { pdu } = vector;
    // Bytes before and after must not matter: a request lies somewhere in a chunk.
    const chunk = Buffer.concat([Buffer.alloc(9, 0xee), pdu, Buffer.alloc(300, 0xee)]);
    const decode = () => decodeRequest(UNIT, chunk, 9, 9 + pdu.length);
    if ("error" in vector) {
      t.throws(decode, { instanceOf: PeerError, code: vector.error });
      return;
    }
    const operation = decode();
    t.deepEqual(operation, { unit: UNIT, ...vector.operation });
    t.deepEqual(encode(operation), pdu);
  });
}

test("a good request is refused at every length it does not have", (t) => {
  for (const { name, pdu, operation } of validRequests(UNIT)) {
    // Where the data is the client's own, another length is another good request.
    const free =
      operation.data.length > 0 || operation.subFunction > 0 || !PUBLIC_FUNCTIONS.has(operation.functionCode);
    if (free) continue;
    for (let end = 0; end < pdu.length; end++) {
      if (operation.functionCode === 8 && end >= 3 && end % 2 === 1) continue;
      t.throws(() => decodeRequest(UNIT, pdu, 0, end), { instanceOf: PeerError }, `${name}, ${end} bytes`);
    }
    const longer = Buffer.concat([pdu, Buffer.alloc(1)]);
    t.throws(
      () => decodeRequest(UNIT, longer, 0, longer.length),
      { instanceOf: PeerError },
      `${name}, longer`,
    );
  }
});

test("every function code of a byte is an Operation or refused, and only the public ones are taken apart", (t) => {
  for (let code = 0; code <= 255; code++) {
    const body = Buffer.from([code, 0xa1, 0xa2]);
    if (code === 0 || code > 127) {
      t.throws(() => decodeRequest(UNIT, body, 0, 3), { instanceOf: PeerError, code: "function-code" });
    } else if (!PUBLIC_FUNCTIONS.has(code)) {
      t.deepEqual(decodeRequest(UNIT, body, 0, 3), {
        unit: UNIT,
        functionCode: code,
        subFunction: -1,
        reads: null,
        writes: null,
        files: [],
        data: Uint8Array.of(0xa1, 0xa2),
      });
    }
  }
});

test("an Operation keeps nothing of the bytes it came from", (t) => {
  for (const { name, pdu, operation } of validRequests(UNIT)) {
    const chunk = Buffer.from(pdu);
    const decoded = decodeRequest(UNIT, chunk, 0, chunk.length);
    chunk.fill(0x55);
    t.deepEqual(decoded, operation, name);
  }
});

test("what Operations share cannot be changed", (t) => {
  const one = decodeRequest(UNIT, Buffer.from("0300000001", "hex"), 0, 5);
  const other = decodeRequest(UNIT, Buffer.from("0400000001", "hex"), 0, 5);
  t.is(one.files, other.files);
  t.true(Object.isFrozen(one.files));
  t.is(one.data.length, 0);
});

test("bounds outside the bytes are niac's own bug", (t) => {
  const bytes = Buffer.from("0300000001", "hex");
  for (const [start, end] of [
    [-1, 4],
    [0, 6],
    [4, 3],
    [Number.NaN, 5],
  ] as const) {
    t.throws(() => decodeRequest(UNIT, bytes, start, end), { instanceOf: BugError, code: "bounds" });
  }
});

test("any Operation is the same after encoding and decoding", (t) => {
  fc.assert(
    fc.property(anyOperation, (operation) => {
      const pdu = encode(operation);
      t.deepEqual(decodeRequest(operation.unit, pdu, 0, pdu.length), operation);
    }),
    { numRuns: 2000 },
  );
});

test("any bytes are refused or an Operation of exactly these bytes", (t) => {
  const anyBytes = fc.uint8Array({ maxLength: 256, size: "max" });
  const ofPublicFunction = fc
    .tuple(fc.constantFrom(...PUBLIC_FUNCTIONS), fc.uint8Array({ maxLength: 12 }))
    .map(([code, body]) => Uint8Array.of(code, ...body));
  let decoded = 0;
  fc.assert(
    fc.property(fc.oneof(anyBytes, ofPublicFunction), (bytes) => {
      let operation;
      try {
        operation = decodeRequest(UNIT, bytes, 0, bytes.length);
      } catch (error) {
        if (error instanceof PeerError) return;
        throw error;
      }
      decoded++;
      t.deepEqual(encode(operation), Buffer.from(bytes));
    }),
    { numRuns: 5000 },
  );
  t.true(decoded > 500);
});
