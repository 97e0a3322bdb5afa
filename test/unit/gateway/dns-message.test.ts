import test from "ava";
import * as fc from "fast-check";
import { PeerError } from "../../../src/base/index.ts";
import {
  decodeHeader,
  decodeQuery,
  encodeAnswer,
  MAX_QUERY,
  PROHIBITED,
  type DnsQuery,
} from "../../../src/gateway/dns-message.ts";
import { opt, query } from "./dns-queries.ts";

/** Blanks are for the reader. */
function hex(text: string): string {
  return text.replaceAll(" ", "");
}

/** EDNS padding (RFC 7830). */
function padding(size: number): Buffer {
  return Buffer.concat([Buffer.from([0, 12, size >> 8, size & 0xff]), Buffer.alloc(size)]);
}

function decode(bytes: Uint8Array): DnsQuery {
  const header = decodeHeader(bytes);
  if (!header) throw new Error("it has no header of a query");
  return decodeQuery(header, bytes);
}

test("a query is read: name in lower case, type, class, EDNS", (t) => {
  t.like(decode(query({ labels: ["WWW", "Plant-1", "exa_mple"], type: 28 })), {
    id: 0x1234,
    opcode: 0,
    recursionDesired: true,
    question: { name: "www.plant-1.exa_mple", type: 28, class: 1 },
    edns: null,
  });
  t.is(decode(query({ rest: opt() })).edns, 0);
  t.is(decode(query({ rest: opt(1) })).edns, 1);
  t.is(decode(query({ rest: opt(0, Buffer.from([0, 10, 0, 2, 1, 2])) })).edns, 0, "an option is passed over");
  t.is(decode(query({ labels: [] })).question.name, ".");
});

test("a byte that is no part of a host's name is escaped, so that a dot within a label is not two labels", (t) => {
  t.is(decode(query({ labels: ["www.example"] })).question.name, "www\\046example");
  t.is(decode(query({ labels: [Buffer.from([0, 0x5c, 0xc3, 0xa4])] })).question.name, "\\000\\092\\195\\164");
});

test("limits: 63 bytes of a label, 255 of a name, 512 of a query", (t) => {
  const long = "a".repeat(63);
  t.is(decode(query({ labels: [long] })).question.name, long);
  t.is(decode(query({ labels: [long, long, long, "a".repeat(61)] })).question.wire.length, 255);
  t.throws(() => decode(query({ labels: [long, long, long, "a".repeat(62)] })), { code: "dns-name" });
  t.throws(() => decode(query({ labels: ["a".repeat(64)] })), { code: "dns-name" });
  const base = query({ rest: opt() }).length;
  const padded = (total: number): Buffer => {
    const bytes = Buffer.concat([query({ rest: opt() }), padding(total - base - 4)]);
    bytes.writeUInt16BE(total - base, base - 2);
    return bytes;
  };
  t.is(decode(padded(MAX_QUERY)).edns, 0);
  t.throws(() => decode(padded(MAX_QUERY + 1)), { code: "dns-length" });
});

test("what is not a canonical query is refused", (t) => {
  const refused: Array<[string, Buffer, string]> = [
    ["no question", query({ counts: [0, 0, 0, 0] }), "dns-counts"],
    ["two questions", query({ counts: [2, 0, 0, 0] }), "dns-counts"],
    ["an answer", query({ counts: [1, 1, 0, 0] }), "dns-counts"],
    ["an authority", query({ counts: [1, 0, 1, 0] }), "dns-counts"],
    ["two additional records", query({ counts: [1, 0, 0, 2], rest: opt() }), "dns-counts"],
    ["the reserved bit", query({ flags: 0x0140 }), "dns-flags"],
    ["bytes after the question", Buffer.concat([query(), Buffer.from([0])]), "trailing-bytes"],
    ["EDNS that is announced and missing", query({ counts: [1, 0, 0, 1] }), "truncated"],
    ["a signature for EDNS", query({ rest: Buffer.from([0, 0, 250, 0, 0, 0, 0, 0, 0, 0, 0]) }), "dns-record"],
    ["a name for EDNS", query({ rest: Buffer.from([1, 97, 0, 0, 41, 4, 208, 0, 0, 0, 0]) }), "dns-record"],
    ["half an option", query({ rest: opt(0, Buffer.from([0, 10, 0, 9, 1])) }), "truncated"],
  ];
  const pointer = Buffer.from(query({ labels: [] }));
  pointer[12] = 0xc0;
  refused.push(["a compressed name", pointer, "dns-name"]);
  for (const [what, bytes, code] of refused)
    t.throws(() => decode(bytes), { instanceOf: PeerError, code }, what);
});

test("an answer, or less than a header, is never answered", (t) => {
  t.is(decodeHeader(query({ flags: 0x8180 })), null);
  t.is(decodeHeader(query().subarray(0, 11)), null);
});

test("every query cut short is refused", (t) => {
  const whole = query({ rest: opt(0, Buffer.from([0, 10, 0, 2, 1, 2])) });
  for (let length = 12; length < whole.length; length++)
    t.throws(() => decode(whole.subarray(0, length)), { instanceOf: PeerError });
});

test("any bytes are a query or a PeerError, and what is read stands in the bytes", (t) => {
  const bytes = fc.oneof(
    fc.uint8Array({ minLength: 12, maxLength: 600 }),
    // Mostly right, with one byte changed: gets further in.
    fc.tuple(fc.nat(), fc.nat({ max: 255 })).map(([at, value]) => {
      const changed = Buffer.from(query({ rest: opt(0, Buffer.from([0, 10, 0, 2, 1, 2])) }));
      changed[at % changed.length] = value;
      return changed;
    }),
  );
  let read = 0;
  fc.assert(
    fc.property(bytes, (input) => {
      const header = decodeHeader(input);
      if (!header) return;
      try {
        const { question } = decodeQuery(header, input);
        read++;
        t.deepEqual(Buffer.from(question.wire), Buffer.from(input.subarray(12, 12 + question.wire.length)));
      } catch (error) {
        if (!(error instanceof PeerError)) throw error;
      }
    }),
    { numRuns: 5_000 },
  );
  t.true(read > 100, "and many were queries");
});

test("an address in an answer, byte for byte", (t) => {
  const asked = decode(query({ labels: ["WwW", "example"] }));
  const answer = encodeAnswer(asked, {
    rcode: 0,
    address: { value: "198.19.0.1", ttl: 60 },
    extendedError: null,
  });
  t.is(
    answer.toString("hex"),
    hex("1234858000010001000000000357775707 6578616d706c650000010001 c00c000100010000003c0004c6130001"),
  );
});

test("a refusal tells clients with EDNS why, and others not", (t) => {
  const refusal = { rcode: 5, address: null, extendedError: { code: PROHIBITED, text: "no" } };
  t.is(
    encodeAnswer(decode(query({ labels: [], rest: opt() })), refusal).toString("hex"),
    hex("123485850001000000000001 0000010001 000029 04d0 00000000 0008 000f0004 0012 6e6f"),
  );
  t.is(
    encodeAnswer(decode(query({ labels: [] })), refusal).toString("hex"),
    hex("123485850001000000000000 0000010001"),
  );
});

test("an EDNS version that nobody knows is said to be one (RFC 6891, 6.1.3): 16, in two places", (t) => {
  const answer = encodeAnswer(decode(query({ labels: [], rest: opt(1) })), {
    rcode: 16,
    address: null,
    extendedError: null,
  });
  t.is(answer.toString("hex"), hex("123485800001000000000001 0000010001 000029 04d0 01000000 0000"));
});

test("an answer to what could not be read has the id and the code alone", (t) => {
  const header = decodeHeader(query({ flags: 0x2900 }));
  t.truthy(header);
  if (header)
    t.is(
      encodeAnswer(header, { rcode: 4, address: null, extendedError: null }).toString("hex"),
      "1234ad840000000000000000",
    );
});

test("the longest name's answer is within 512 bytes", (t) => {
  const long = "a".repeat(63);
  const asked = decode(query({ labels: [long, long, long, "a".repeat(61)], rest: opt() }));
  const answer = encodeAnswer(asked, {
    rcode: 5,
    address: { value: "10.0.0.1", ttl: 60 },
    extendedError: { code: PROHIBITED, text: "x".repeat(500) },
  });
  t.true(answer.length <= 512, String(answer.length));
});
