import test from "ava";
import { UsageError } from "../../../src/base/index.ts";
import { readEnrollOptions, type TypedEnroll } from "../../../src/laptop/enroll-options.ts";

const COMPUTER = { hostname: "laptop-7", lookup: () => undefined };

function read(url: string, typed: TypedEnroll = {}): ReturnType<typeof readEnrollOptions> {
  return readEnrollOptions(url, typed, COMPUTER);
}

function refusal(url: string, typed: TypedEnroll = {}): string {
  try {
    read(url, typed);
  } catch (error) {
    if (error instanceof UsageError) return error.code;
    throw error;
  }
  return "taken";
}

test("an address is enough: the rest follows from it and the computer", (t) => {
  t.deepEqual(read("https://box.example"), {
    box: "https://box.example",
    label: null,
    user: null,
    device: "laptop-7",
    algorithm: "p256",
    trust: null,
    signIn: false,
    codeFile: null,
    via: "box.example:8443",
    appliance: "box.example",
    profile: "default",
    again: false,
    token: null,
  });
});

test("boxes: with a port, by address, without https:// before it", (t) => {
  t.is(read("https://192.0.2.1:4443/").box, "https://192.0.2.1:4443");
  t.is(read("box.example").box, "https://box.example");
  const six = read("https://[2001:db8::1]:4443");
  t.deepEqual(
    [six.box, six.via, six.appliance],
    ["https://[2001:db8::1]:4443", "[2001:db8::1]:8443", "2001:db8::1"],
  );
});

for (const bad of [
  "http://box.example",
  "https://box.example/est",
  "https://alice:code@box.example",
  "https://box.example?x",
  "https://box.example#x",
  "ftp://box",
  "https://",
  "",
]) {
  test(`no box: ${JSON.stringify(bad)}`, (t) => t.is(refusal(bad), "box"));
}

test("labels are a tier, or a tier and a tenant", (t) => {
  t.is(read("box", { tier: "byod" }).label, "byod");
  t.is(read("box", { tenant: "acme" }).label, "managed.acme");
  t.is(read("box", { tier: "contractor", tenant: "acme" }).label, "contractor.acme");
  for (const tier of ["", "a.b", "a/b", "..", "A"]) t.is(refusal("box", { tier }), "enroll-label", tier);
});

const WRONG: readonly (readonly [TypedEnroll, string])[] = [
  [{ signIn: true, codeFile: "code" }, "enroll-way"],
  [{ ca: "ca.pem", fingerprint: "00" }, "enroll-trust"],
  [{ ca: "/nonexistent/ca.pem" }, "file"],
  [{ algorithm: "rsa" }, "algorithm"],
  [{ token: "card" }, "enroll-token"],
  [{ pinFile: "pin" }, "enroll-token"],
  [{ device: "" }, "device"],
  [{ device: "a b" }, "device"],
  [{ device: "a\u001b[2J" }, "device"],
  [{ device: "x".repeat(101) }, "device"],
  [{ via: "box:0" }, "via"],
  [{ profile: "../x" }, "profile-name"],
];
for (const [typed, code] of WRONG) {
  test(`options that are refused: ${JSON.stringify(typed)}`, (t) => t.is(refusal("box", typed), code));
}
