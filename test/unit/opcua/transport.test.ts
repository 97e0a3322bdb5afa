import test from "ava";
import { BugError, PeerError } from "../../../src/base/index.ts";
import {
  chunkLength,
  decodeAcknowledge,
  decodeChunk,
  decodeError,
  encodeHello,
  MAX_CHUNK,
} from "../../../src/opcua/index.ts";
import { chunk, text, u32 } from "./messages.ts";

function sized(size: number): Buffer {
  return Buffer.concat([Buffer.from("MSGF"), u32(size)]);
}

function body(receive: number, send: number): Buffer {
  return u32(0, receive, send, 0, 0);
}

test("a hello, byte for byte", (t) => {
  t.is(
    encodeHello("opc.tcp://a:1").toString("hex"),
    `48454c462d00000000000000${"00000100".repeat(2)}00001000000100000d000000${Buffer.from("opc.tcp://a:1").toString("hex")}`,
  );
  t.throws(() => encodeHello("a".repeat(4_096)), { instanceOf: BugError });
});

test("a chunk's length is told as soon as it can be, and what is none is found out at its third byte", (t) => {
  const whole = chunk("MSG", "F", Buffer.alloc(20));
  for (let length = 0; length < 8; length++) t.is(chunkLength(whole.subarray(0, length)), 0);
  t.is(chunkLength(whole.subarray(0, 8)), 28);
  t.throws(() => chunkLength(Buffer.from("SSH")), { instanceOf: PeerError, code: "opcua-type" });
  t.throws(() => chunkLength(Buffer.from("\0\u{1}\0\0\0\u{6}")), { code: "opcua-type" });
});

test("a chunk has 8 to 65,536 bytes", (t) => {
  t.is(chunkLength(sized(8)), 8);
  t.is(chunkLength(sized(MAX_CHUNK)), MAX_CHUNK);
  for (const size of [0, 7, MAX_CHUNK + 1, 0xffffffff])
    t.throws(() => chunkLength(sized(size)), { code: "opcua-size" });
});

test("only a message may be one of several chunks", (t) => {
  t.is(decodeChunk(chunk("MSG", "C")).mark, "C");
  t.is(decodeChunk(chunk("MSG", "A")).mark, "A");
  t.deepEqual([...decodeChunk(chunk("OPN", "F", Buffer.of(1, 2))).body], [1, 2]);
  for (const [type, mark] of [
    ["MSG", "X"],
    ["MSG", "f"],
    ["ACK", "C"],
    ["OPN", "C"],
    ["ERR", "A"],
    ["CLO", "\0"],
  ])
    t.throws(() => decodeChunk(chunk(type ?? "", mark ?? "")), { code: "opcua-chunk" }, `${type}${mark}`);
  t.throws(() => decodeChunk(chunk("MSG", "F", Buffer.alloc(5)).subarray(0, 12)), { instanceOf: BugError });
});

test("an acknowledgement's buffers are within what the standard and niac allow", (t) => {
  t.notThrows(() => decodeAcknowledge(body(8_192, 8_192)));
  t.notThrows(() => decodeAcknowledge(body(1 << 24, MAX_CHUNK)));
  for (const [receive = 0, send = 0] of [
    [8_191, 8_192],
    [8_192, 8_191],
    [8_192, MAX_CHUNK + 1],
    [0, 0],
  ])
    t.throws(() => decodeAcknowledge(body(receive, send)), { code: "opcua-acknowledge" });
  t.throws(() => decodeAcknowledge(Buffer.alloc(19)), { code: "truncated" });
  t.throws(() => decodeAcknowledge(Buffer.concat([body(8_192, 8_192), Buffer.of(0)])), {
    code: "trailing-bytes",
  });
});

test("a server's complaint is an error with its code and words, cut", (t) => {
  const error = decodeError(Buffer.concat([u32(0x80ac0000), text(`no${"!".repeat(999)}`)]));
  t.is(error.code, "opcua-error");
  t.regex(error.message, /^the server answered status 0x80AC0000: no!{198}$/);
});
