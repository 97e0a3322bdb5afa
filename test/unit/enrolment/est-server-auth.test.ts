import test from "ava";
import { readAuthorization } from "../../../src/enrolment/est-server-auth.ts";

function basic(text: string | Buffer): string {
  return `Basic ${Buffer.from(text).toString("base64")}`;
}

test("Basic is a user and a code, with whatever colons the code has; Bearer is a token", (t) => {
  t.is(readAuthorization(null), null);
  t.deepEqual(readAuthorization(basic("alice:a:b")), { scheme: "basic", user: "alice", code: "a:b" });
  t.deepEqual(readAuthorization(basic("al ice\u00fc:x").replace("Basic", "bASIC")), {
    scheme: "basic",
    user: "al ice\u00fc",
    code: "x",
  });
  t.deepEqual(readAuthorization("Bearer a.b-c_d"), { scheme: "bearer", token: "a.b-c_d" });
});

for (const [what, header] of [
  ["no colon", basic("alice")],
  ["no user", basic(":x")],
  ["bytes that are no UTF-8", basic(Buffer.from([0x61, 0xff, 0x3a, 0x78]))],
  ["a control character", basic("ali\nce:x")],
  ["a user that is too long", basic(`${"a".repeat(256)}:x`)],
  ["a code that is too long", basic(`a:${"x".repeat(256)}`)],
  ["another scheme", "Digest abc"],
  ["no value", "Basic"],
  ["characters of no token", "Bearer a b"],
  ["an empty header", ""],
] as const) {
  test(`${what} is no authorization`, (t) => {
    t.deepEqual(readAuthorization(header), { scheme: "unknown" });
  });
}
