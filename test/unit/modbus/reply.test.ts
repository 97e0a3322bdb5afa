import test from "ava";
import * as fc from "fast-check";
import { BugError, PeerError } from "../../../src/base/index.ts";
import {
  decodeReply,
  decodeRequest,
  encodeReply,
  MAX_PDU,
  readCoils,
  readRegisters,
} from "../../../src/modbus/index.ts";
import { anyOperation } from "./arbitraries.ts";
import { readReplies } from "./vectors.ts";

for (const vector of readReplies()) {
  test(vector.name, (t) => {
    const operation = decodeRequest(1, vector.request, 0, vector.request.length);
    const chunk = Buffer.concat([Buffer.alloc(9, 0xee), vector.reply, Buffer.alloc(300, 0xee)]);
    const decode = () => decodeReply(operation, chunk, 9, 9 + vector.reply.length);
    if ("error" in vector) {
      t.throws(decode, { instanceOf: PeerError, code: vector.error });
      return;
    }
    const reply = decode();
    t.is(reply.exception, vector.exception);
    t.deepEqual(Buffer.from(reply.data), vector.exception === 0 ? vector.reply.subarray(1) : Buffer.alloc(0));
    const out = Buffer.alloc(MAX_PDU);
    t.deepEqual(out.subarray(0, encodeReply(operation, reply, out, 0)), vector.encoded ?? vector.reply);
    if (vector.values !== undefined) {
      const values = operation.functionCode <= 2 ? readCoils(operation, reply) : readRegisters(reply);
      t.deepEqual(values, vector.values);
    }
  });
}

test("a good reply is refused at every length it does not have", (t) => {
  for (const vector of readReplies()) {
    // Silent ones have a body that is the machine's own: another length is another good reply.
    if ("error" in vector || vector.silent) continue;
    const operation = decodeRequest(1, vector.request, 0, vector.request.length);
    for (let end = 0; end < vector.reply.length; end++) {
      t.throws(
        () => decodeReply(operation, vector.reply, 0, end),
        { instanceOf: PeerError },
        `${vector.name}, ${end} bytes`,
      );
    }
    const longer = Buffer.concat([vector.reply, Buffer.alloc(1)]);
    t.throws(
      () => decodeReply(operation, longer, 0, longer.length),
      { instanceOf: PeerError },
      `${vector.name}, longer`,
    );
  }
});

test("a reply to another function is refused", (t) => {
  const valid = readReplies().flatMap((vector) => ("error" in vector ? [] : [vector]));
  for (const { request, name } of valid) {
    const operation = decodeRequest(1, request, 0, request.length);
    for (const { reply, name: other } of valid) {
      if ((reply[0]! & 0x7f) === operation.functionCode) continue;
      t.throws(
        () => decodeReply(operation, reply, 0, reply.length),
        { instanceOf: PeerError, code: "reply-function" },
        `${name} answered by ${other}`,
      );
    }
  }
});

test("every exception code of a byte but 0 is a reply", (t) => {
  const operation = decodeRequest(1, Buffer.from("0300000001", "hex"), 0, 5);
  for (let code = 1; code <= 255; code++) {
    t.deepEqual(decodeReply(operation, Uint8Array.of(0x83, code), 0, 2), {
      exception: code,
      data: new Uint8Array(0),
    });
  }
});

test("bounds outside the bytes are niac's own bug", (t) => {
  const operation = decodeRequest(1, Buffer.from("0300000001", "hex"), 0, 5);
  t.throws(() => decodeReply(operation, Buffer.from("83", "hex"), 0, 2), {
    instanceOf: BugError,
    code: "bounds",
  });
});

test("any bytes are refused, or a reply that is the same after encoding and decoding", (t) => {
  let decoded = 0;
  const body = fc.uint8Array({ maxLength: 252, size: "max" });
  fc.assert(
    fc.property(anyOperation, body, fc.boolean(), (operation, bytes, counted) => {
      const pdu = Uint8Array.of(operation.functionCode, ...bytes);
      // Half of them say how long they are, for most replies must.
      if (counted && pdu.length > 1) pdu[1] = pdu.length - 2;
      let reply;
      try {
        reply = decodeReply(operation, pdu, 0, pdu.length);
      } catch (error) {
        if (error instanceof PeerError) return;
        throw error;
      }
      decoded++;
      const out = new Uint8Array(MAX_PDU);
      const end = encodeReply(operation, reply, out, 0);
      t.is(end, pdu.length);
      const again = decodeReply(operation, out, 0, end);
      const twice = new Uint8Array(MAX_PDU);
      t.is(encodeReply(operation, again, twice, 0), end);
      t.deepEqual(twice, out);
    }),
    { numRuns: 5000 },
  );
  t.true(decoded > 100);
});
