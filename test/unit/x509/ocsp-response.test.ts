import test from "ava";
import * as fc from "fast-check";
import * as x509 from "../../../src/x509/index.ts";
import { answer, byName, certId, code, GOOD, issuer, read, single, subject, wrapped } from "./answers.ts";
import { codeOf, DAY, flipped, NOW, truncated } from "./made.ts";
import { bits, der, extension, int, oid, seq, time, utf8 } from "./writer.ts";

const NONCE = "1.3.6.1.5.5.7.48.1.2";

test("good, revoked and unknown are told, with their times and reasons", (t) => {
  const revoked = der(0xa1, time(NOW - DAY), der(0xa0, der(0x0a, Buffer.of(1))));
  const bare = der(0xa1, time(NOW - DAY));
  const responses = [
    single(GOOD, der(0xa0, time(NOW + DAY))),
    single(revoked),
    single(bare),
    single(der(0x82)),
  ];
  const said = read(answer({ responses }));
  t.is(said.producedAt, NOW);
  t.is(said.nonce, null);
  t.deepEqual(
    said.responses.map(({ status }) => status),
    [
      { kind: "good" },
      { kind: "revoked", revokedAt: NOW - DAY, reason: "keyCompromise" },
      { kind: "revoked", revokedAt: NOW - DAY, reason: "unspecified" },
      { kind: "unknown" },
    ],
  );
  t.deepEqual(
    said.responses.map(({ thisUpdate, nextUpdate }) => [thisUpdate, nextUpdate]),
    [
      [NOW, NOW + DAY],
      [NOW, null],
      [NOW, null],
      [NOW, null],
    ],
  );
  t.true(said.responses.every((response) => x509.isCertIdOf(response.certId, subject)));
});

const withNonce = (value: Uint8Array): Buffer => answer({ more: [der(0xa1, seq(extension(NONCE, value)))] });

test("a nonce is read; an empty one, one of 129 bytes and one that is not wrapped are refused", (t) => {
  t.deepEqual(Buffer.from(read(withNonce(der(0x04, Buffer.of(1, 2)))).nonce ?? []), Buffer.of(1, 2));
  t.is(read(withNonce(der(0x04, Buffer.alloc(128)))).nonce?.length, 128);
  for (const bad of [der(0x04), der(0x04, Buffer.alloc(129)), Buffer.of(1, 2, 3)])
    t.is(code(withNonce(bad)), "ocsp-malformed");
});

const failed = (number: number, ...more: readonly Uint8Array[]): Buffer =>
  seq(der(0x0a, Buffer.of(number)), ...more);

test("a responder that failed says why, and nothing else", (t) => {
  const failures = {
    1: "malformedRequest",
    2: "internalError",
    3: "tryLater",
    5: "sigRequired",
    6: "unauthorized",
  };
  for (const [number, text] of Object.entries(failures)) {
    t.deepEqual(x509.readOcspResponse(failed(Number(number))), { status: text });
  }
  t.is(code(failed(4)), "ocsp-malformed");
  t.is(code(failed(7)), "ocsp-malformed");
  t.is(code(failed(0)), "ocsp-malformed");
  t.is(code(failed(3, der(0xa0, seq()))), "ocsp-malformed");
});

test("an answer cut short is refused, one with a byte changed is refused or no longer verifies", (t) => {
  const bytes = answer();
  for (const cut of truncated(bytes)) t.is(code(cut), "ocsp-malformed");
  for (const mask of [0x01, 0x20, 0xff]) {
    for (const changed of flipped(bytes, mask)) {
      const outcome = codeOf(() => {
        const response = x509.readOcspResponse(changed);
        if (response.status !== "successful") return;
        response.verify(issuer, NOW);
        throw new Error(changed.toString("hex"));
      });
      t.regex(outcome, /^(?:accepted|ocsp-(?:malformed|signature|responder))$/);
    }
  }
});

test("any bytes are refused with words of an answer", (t) => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => code(bytes) === "ocsp-malformed"));
  t.pass();
});

test("what is not as RFC 6960 has it is refused", (t) => {
  const bad: Readonly<Record<string, Buffer>> = {
    "another version": answer({ version: [der(0xa0, int(1))] }),
    "a version spelled out that is the default": answer({ version: [der(0xa0, int(0))] }),
    "an id of another kind": answer({ id: der(0xa3, seq()) }),
    "a name that is none": answer({ id: byName(int(1)) }),
    "another type": wrapped(seq(), "1.2.3"),
    "a status of another kind": answer({ responses: [single(der(0x83))] }),
    "good with something in it": answer({ responses: [single(der(0x80, Buffer.of(0)))] }),
    "a time that is text": answer({ responses: [seq(certId(), GOOD, utf8("20260101000000Z"))] }),
    "a short time": answer({ responses: [seq(certId(), GOOD, der(0x17, Buffer.from("260101000000Z")))] }),
    "two times in one": answer({ responses: [single(GOOD, der(0xa0, time(NOW), time(NOW)))] }),
    "a reason that is none": answer({
      responses: [single(der(0xa1, time(NOW), der(0xa0, der(0x0a, Buffer.of(7)))))],
    }),
    "an unknown critical extension": answer({ more: [der(0xa1, seq(extension("1.2.3", int(1), true)))] }),
    "an unknown critical extension of one answer": answer({
      responses: [single(GOOD, der(0xa1, seq(extension("1.2.3", int(1), true))))],
    }),
    "an extension twice": answer({
      more: [der(0xa1, seq(extension("1.2.3", int(1)), extension("1.2.3", int(1))))],
    }),
    "more after the answer": Buffer.concat([answer(), Buffer.of(0)]),
    "a signature in bits": wrapped(seq(seq(), seq(oid("1.2.3")), bits(1, Buffer.of(2)))),
  };
  for (const [label, bytes] of Object.entries(bad)) t.is(code(bytes), "ocsp-malformed", label);
  t.is(code(answer({ more: [der(0xa1, seq(extension("1.2.3", int(1))))] })), "accepted");
});

const answers = (count: number): Buffer => answer({ responses: Array<Buffer>(count).fill(single(GOOD)) });

const along = (count: number): Buffer => answer({ certificates: Array<Buffer>(count).fill(seq()) });

test("64 answers and 8 certificates are taken, one more of each is not; 131,072 bytes at most", (t) => {
  t.is(code(answers(64)), "accepted");
  t.is(code(answers(65)), "ocsp-malformed");
  t.is(code(along(8)), "accepted");
  t.is(code(along(9)), "ocsp-malformed");
  t.is(code(Buffer.alloc(x509.MAX_OCSP_LENGTH)), "ocsp-malformed");
  t.is(code(Buffer.alloc(x509.MAX_OCSP_LENGTH + 1)), "ocsp-too-large");
});
