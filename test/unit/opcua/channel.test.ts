import test from "ava";
import { Answers, decodeChunk, MAX_CHUNKS, MAX_UA_MESSAGE, POLICY_NONE } from "../../../src/opcua/index.ts";
import { chunk, messageChunk, openChunk, POLICY, text, u32 } from "./messages.ts";

const IDS = { channel: 9, token: 4 };
const BODY = Buffer.from("body");

/** After a channel was opened with sequence number 51. */
function opened(): Answers {
  const answers = new Answers();
  answers.open(decodeChunk(openChunk(51, 1, BODY)), 1);
  return answers;
}

test("an answer of one chunk, and one of several in order", (t) => {
  t.is(POLICY_NONE, POLICY);
  t.is(String(new Answers().open(decodeChunk(openChunk(51, 1, BODY)), 1)), "body");
  const answers = opened();
  t.is(answers.message(decodeChunk(messageChunk("C", IDS, 52, 2, Buffer.from("ab"))), IDS, 2), null);
  t.is(answers.message(decodeChunk(messageChunk("C", IDS, 53, 2, Buffer.from("cd"))), IDS, 2), null);
  t.is(
    String(answers.message(decodeChunk(messageChunk("F", IDS, 54, 2, Buffer.from("e"))), IDS, 2)),
    "abcde",
  );
  t.is(String(answers.message(decodeChunk(messageChunk("F", IDS, 55, 3, Buffer.from("f"))), IDS, 3)), "f");
});

test("a sequence number that jumps, stays or goes back is refused", (t) => {
  for (const sequence of [51, 50, 53, 0, 0xffffffff]) {
    const next = decodeChunk(messageChunk("F", IDS, sequence, 2, BODY));
    t.throws(() => opened().message(next, IDS, 2), { code: "opcua-sequence" }, String(sequence));
  }
});

test("another channel, token, request or kind of message is no answer", (t) => {
  for (const bytes of [
    messageChunk("F", { ...IDS, channel: 8 }, 52, 2, BODY),
    messageChunk("F", { ...IDS, token: 5 }, 52, 2, BODY),
    messageChunk("F", IDS, 52, 3, BODY),
    openChunk(52, 2, BODY),
    chunk("ACK", "F", u32(0, 8_192, 8_192, 0, 0)),
    chunk("CLO", "F", u32(9, 4, 52, 2)),
  ])
    t.throws(() => opened().message(decodeChunk(bytes), IDS, 2), { code: "opcua-answer" });
});

test("a channel with another policy, or with a certificate, was not asked for", (t) => {
  const other = openChunk(1, 1, BODY, `${POLICY}2`);
  t.throws(() => new Answers().open(decodeChunk(other), 1), { code: "opcua-answer" });
  const signed = chunk("OPN", "F", u32(9), text(POLICY), text("cert"), text(null), u32(1, 1), BODY);
  t.throws(() => new Answers().open(decodeChunk(signed), 1), { code: "opcua-answer" });
  const empty = chunk("OPN", "F", u32(9), text(POLICY), text(""), text(""), u32(1, 1), BODY);
  t.is(String(new Answers().open(decodeChunk(empty), 1)), "body");
});

test("the server's error, or its giving up, is passed on", (t) => {
  const error = decodeChunk(chunk("ERR", "F", u32(0x80540000), text("no policy")));
  t.throws(() => new Answers().open(error, 1), { code: "opcua-error", message: /0x80540000: no policy/ });
  const aborted = decodeChunk(
    messageChunk("A", IDS, 52, 2, Buffer.concat([u32(0x80b80000), text("too large")])),
  );
  t.throws(() => opened().message(aborted, IDS, 2), { code: "opcua-error", message: /0x80B80000 too large/ });
});

function feed(count: number, size: number): void {
  const answers = opened();
  for (let i = 0; i < count; i++)
    answers.message(decodeChunk(messageChunk("C", IDS, 52 + i, 2, Buffer.alloc(size))), IDS, 2);
}

test("chunks end at their number, and at the bytes of a message", (t) => {
  t.notThrows(() => feed(MAX_CHUNKS, 1));
  t.throws(() => feed(MAX_CHUNKS + 1, 1), { code: "opcua-message" });
  t.notThrows(() => feed(MAX_UA_MESSAGE / 32_768, 32_768));
  t.throws(() => feed(MAX_UA_MESSAGE / 32_768 + 1, 32_768), { code: "opcua-message" });
});
