import test from "ava";
import { bodyOf, refusalOf, retryAfter } from "../../../src/est/est-client-answer.ts";
import type { Answer } from "../../../src/est/est-client-http.ts";
import { NiacError } from "../../../src/base/index.ts";

const TYPE = "application/pkcs7-mime";
const NOW = Date.UTC(2026, 10, 22, 12);

function answer(status: number, headers: Record<string, string>, body = ""): Answer {
  return { status, header: (name) => headers[name] ?? null, body: Buffer.from(body), shown: [] };
}

test("base64 with or without line breaks is taken, anything else is not", (t) => {
  const typed = { "content-type": `${TYPE}; smime-type=certs-only` };
  t.is(bodyOf(answer(200, typed, "AQID\r\nBA==\n"), TYPE, "ca").toString("hex"), "01020304");
  for (const bad of ["", "A", "AQ=", "AQID!", "====", "AQID=AQI", "AQ-_", "-----BEGIN PKCS7-----\nAQID\n"])
    t.throws(() => bodyOf(answer(200, typed, bad), TYPE, "ca"), { code: "est-answer" }, bad);
  for (const type of ["text/html", "", "application/pkcs7-mimes"])
    t.throws(() => bodyOf(answer(200, { "content-type": type }, "AQID"), TYPE, "ca"), { code: "est-answer" });
});

function wait(text?: string): number {
  return retryAfter(answer(202, text === undefined ? {} : { "retry-after": text }), NOW);
}

test("a wait is what the server says, within bounds", (t) => {
  t.is(wait("30"), 30_000);
  t.is(wait("0"), 1_000);
  t.is(wait("9999999999"), 86_400_000);
  t.is(wait("Sun, 22 Nov 2026 12:05:00 GMT"), 300_000);
  t.is(wait("Sun, 22 Nov 2020 12:05:00 GMT"), 1_000);
  t.is(wait(), 60_000);
  t.is(wait("soon"), 60_000);
});

test("each status is an error with a code of its own, and of plain text alone the words are shown", (t) => {
  const plain = { "content-type": "text/plain; charset=utf-8" };
  for (const [status, code] of [
    [401, "est-credentials"],
    [403, "est-refused"],
    [400, "est-refused"],
    [404, "est-missing"],
    [302, "est-redirect"],
    [429, "est-busy"],
    [503, "est-busy"],
    [500, "est-failed"],
    [204, "est-refused"],
  ] as const) {
    const error = refusalOf(answer(status, plain, "no\u001b[2J more\n"), "simpleenroll", "ca.example");
    t.true(error instanceof NiacError && error.code === code, `${status}`);
    t.regex(error.message, /ca\.example .*no\\u\{1b\}\[2J more/);
  }
  const page = refusalOf(answer(500, { "content-type": "text/html" }, "<p>secret"), "cacerts", "ca.example");
  t.notRegex(page.message, /secret/);
  t.true(refusalOf(answer(500, plain, "\u0007".repeat(9_000)), "cacerts", "ca").message.length < 500);
});
