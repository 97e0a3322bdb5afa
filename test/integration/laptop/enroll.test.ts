import { createHash, X509Certificate } from "node:crypto";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { NiacError } from "../../../src/base/index.ts";
import { keyWords } from "../../../src/est/index.ts";
import { certificatePem, readRequest } from "../../../src/x509/index.ts";
import { FakeBox } from "./fake-box.ts";
import { Laptop } from "./laptop.ts";

const CODE = "AB12-CD34-EF56-GH78";

function fingerprint(der: Uint8Array): string {
  return createHash("sha256").update(der).digest("hex");
}

async function bed(t: ExecutionContext): Promise<{ box: FakeBox; laptop: Laptop; trust: string[] }> {
  const box = await FakeBox.start(t);
  const laptop = new Laptop(t);
  return { box, laptop, trust: ["--fingerprint", `sha256:${fingerprint(box.root)}`] };
}

async function failure(running: Promise<void>): Promise<NiacError> {
  try {
    await running;
  } catch (error) {
    if (error instanceof NiacError) return error;
    throw error;
  }
  throw new Error("the command ended without an error");
}

test("by a one-time code: key and certificate that belong together, readable for nobody else", async (t) => {
  const { box, laptop, trust } = await bed(t);
  laptop.environment["NIAC_CODE"] = CODE;
  await laptop.niac("enroll", box.url, ...trust, "--user", "alice");
  t.deepEqual(laptop.files(), {
    default: "700",
    "default/ca.pem": "600",
    "default/identity.pem": "600",
    "default/profile.json": "600",
  });
  const identity = readFileSync(join(laptop.profiles, "default", "identity.pem"), "utf8");
  const chain = identity.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n/g) ?? [];
  t.is(chain.length, 2, "the certificate and the authority between it and the root");
  t.is(chain[1], certificatePem(box.issuing));
  const certificate = new X509Certificate(chain[0] ?? "");
  t.is(certificate.subject, "CN=alice");
  t.is(certificate.subjectAltName, "URI:urn:niac:device:laptop-7");
  t.regex(identity, /^-----BEGIN PRIVATE KEY-----/);
  t.true(readFileSync(join(laptop.profiles, "default", "ca.pem"), "utf8").includes(certificatePem(box.root)));
  t.deepEqual(
    box.asked.map(({ path, authorization }) => [path, authorization]),
    [["/.well-known/est/simpleenroll", `Basic ${Buffer.from(`alice:${CODE}`).toString("base64")}`]],
  );
  t.deepEqual(laptop.err, []);
});

test("the label says tier and tenant, and the profile what was asked for", async (t) => {
  const { box, laptop } = await bed(t);
  laptop.environment["NIAC_CODE"] = CODE;
  const ca = join(laptop.home, "plant.pem");
  writeFileSync(ca, certificatePem(box.root));
  const more = [
    "--tier",
    "byod",
    "--tenant",
    "acme",
    "--device",
    "toolbox 1/é".replace(" ", "-"),
    "--algorithm",
    "ed25519",
  ];
  await laptop.niac(
    "enroll",
    box.url,
    "--ca",
    ca,
    "--user",
    "bob",
    "--profile",
    "plant-7",
    "--via",
    "box.example:9443",
    ...more,
  );
  t.is(box.asked[0]?.path, "/.well-known/est/byod.acme/simpleenroll");
  t.deepEqual(JSON.parse(readFileSync(join(laptop.profiles, "plant-7", "profile.json"), "utf8")), {
    version: 1,
    box: box.url,
    label: "byod.acme",
    via: "box.example:9443",
    appliance: "127.0.0.1",
    user: "bob",
    device: "toolbox-1/é",
    algorithm: "ed25519",
    token: null,
  });
  t.deepEqual(readRequest(box.asked[0]?.request ?? Buffer.of()).altNames.uri, [
    "urn:niac:device:toolbox-1%2F%C3%A9",
  ]);
});

test("a wrong fingerprint: nothing is sent, no code is asked for, no key is made", async (t) => {
  const { box, laptop } = await bed(t);
  laptop.person = () => CODE;
  const error = await failure(
    laptop.niac("enroll", box.url, "--fingerprint", "0".repeat(64), "--user", "alice"),
  );
  t.is(error.code, "est-fingerprint");
  t.regex(error.message, new RegExp(`it shows ${fingerprint(box.root)}`));
  t.deepEqual([box.asked, laptop.questions, laptop.files()], [[], [], {}]);
});

test("without fingerprint and authority the person compares; yes goes on, by that root alone", async (t) => {
  const { box, laptop } = await bed(t);
  laptop.person = (_, secret) => (secret ? CODE : "yes");
  await laptop.niac("enroll", box.url, "--user", "alice");
  t.is(laptop.questions.length, 2);
  t.true(laptop.questions[0]?.replaceAll(/\s/g, "").includes(fingerprint(box.root)));
  t.is(box.asked[0]?.authorization, `Basic ${Buffer.from(`alice:${CODE}`).toString("base64")}`);
});

for (const [what, person, code] of [
  ["anything but yes", () => "y", "box-wrong"],
  ["nobody to ask", null, "box-unknown"],
] as const) {
  test(`a box that nobody confirmed gets nothing: ${what}`, async (t) => {
    const { box, laptop } = await bed(t);
    laptop.person = person;
    laptop.environment["NIAC_CODE"] = CODE;
    const error = await failure(laptop.niac("enroll", box.url, "--user", "alice"));
    t.is(error.code, code);
    t.deepEqual([box.asked, laptop.files()], [[], {}]);
  });
}

test("a wrong code: the box's reason, the old profile as it was, and no word of the code", async (t) => {
  const { box, laptop, trust } = await bed(t);
  laptop.environment["NIAC_CODE"] = CODE;
  await laptop.niac("enroll", box.url, ...trust, "--user", "alice");
  const before = readFileSync(join(laptop.profiles, "default", "identity.pem"), "utf8");
  box.answer = () => ({ status: 401, text: "user or code is wrong, used or expired" });
  const error = await failure(laptop.niac("enroll", box.url, ...trust, "--user", "alice", "--again"));
  t.is(error.code, "est-credentials");
  t.regex(error.message, /user or code is wrong, used or expired/);
  t.false([error.message, error.advice, ...laptop.out, ...laptop.err].join("\n").includes(CODE));
  t.is(readFileSync(join(laptop.profiles, "default", "identity.pem"), "utf8"), before);
});

test("a profile that is there is not overwritten, and with --again it is", async (t) => {
  const { box, laptop, trust } = await bed(t);
  laptop.environment["NIAC_CODE"] = CODE;
  await laptop.niac("enroll", box.url, ...trust, "--user", "alice");
  const error = await failure(laptop.niac("enroll", box.url, ...trust, "--user", "bob"));
  t.is(error.code, "profile-exists");
  t.regex(error.message, /alice on laptop-7/);
  t.is(box.asked.length, 1);
  await laptop.niac("enroll", box.url, ...trust, "--user", "bob", "--again");
  t.regex(readFileSync(join(laptop.profiles, "default", "profile.json"), "utf8"), /"user": "bob"/);
  t.deepEqual(Object.keys(laptop.files()).length, 4, "and nothing of the old one is left over");
});

test("approval: the words of the key are shown, the same request is asked again until there is an answer", async (t) => {
  const { box, laptop, trust } = await bed(t);
  box.answer = ({ request }) =>
    box.asked.length < 3 ? { status: 202, retryAfter: 1 } : { certificate: box.issue(request) };
  await laptop.niac("enroll", box.url, ...trust);
  const requests = box.asked.map(({ request }) => request?.toString("hex"));
  t.is(requests.length, 3);
  t.is(new Set(requests).size, 1);
  const { publicKeyInfo, subject } = readRequest(box.asked[0]?.request ?? Buffer.of());
  t.deepEqual(subject, [], "who approves says whose laptop it is");
  t.true(laptop.out.some((line) => line.endsWith(keyWords(publicKeyInfo))));
  t.regex(readFileSync(join(laptop.profiles, "default", "profile.json"), "utf8"), /"user": "alice"/);
});

test("approval that is interrupted goes on with the same key; one that is denied says why", async (t) => {
  const { box, laptop, trust } = await bed(t);
  box.answer = () => ({ status: 202, retryAfter: 3600 });
  const waiting = failure(laptop.niac("enroll", box.url, ...trust));
  await laptop.line(/words of this laptop's key/);
  laptop.interrupt();
  t.is((await waiting).code, "enroll-interrupted");
  t.deepEqual(Object.keys(laptop.files()), ["default.pending", "default.pending/request.json"]);
  t.is(laptop.files()["default.pending/request.json"], "600");
  box.answer = () => ({ status: 403, text: "denied by the plant admin: unknown laptop" });
  const error = await failure(laptop.niac("enroll", box.url, ...trust));
  t.regex(error.message, /denied by the plant admin: unknown laptop/);
  const keys = box.asked.map(({ request }) => keyWords(readRequest(request ?? Buffer.of()).publicKeyInfo));
  t.is(keys[0], keys[1]);
  t.deepEqual(laptop.files(), {}, "the next request is another one");
});

test("a certificate for another key, or from nobody known, is not installed", async (t) => {
  const { box, laptop, trust } = await bed(t);
  laptop.environment["NIAC_CODE"] = CODE;
  const stranger = await FakeBox.start(t);
  box.answer = ({ request }) => ({ certificate: stranger.issue(request) });
  t.is((await failure(laptop.niac("enroll", box.url, ...trust, "--user", "alice"))).code, "est-chain");
  box.answer = () => ({ certificate: box.root });
  t.is((await failure(laptop.niac("enroll", box.url, ...trust, "--user", "alice"))).code, "est-other-key");
  t.false("default/profile.json" in laptop.files());
});

test("a certificate of tomorrow: this computer's clock is wrong", async (t) => {
  const { box, laptop, trust } = await bed(t);
  laptop.environment["NIAC_CODE"] = CODE;
  box.answer = ({ request }) => ({ certificate: box.issue(request, 86_400, -3_600_000) });
  const error = await failure(laptop.niac("enroll", box.url, ...trust, "--user", "alice"));
  t.is(error.code, "clock");
  t.regex(error.advice ?? "", /Set this computer's clock/);
});

test("a box that is not there, and one that enrols nobody", async (t) => {
  const { laptop, trust } = await bed(t);
  const away = await failure(laptop.niac("enroll", "https://127.0.0.1:1", ...trust));
  t.is(away.code, "est-away");
  t.regex(away.message, /127\.0\.0\.1:1 cannot be asked for certificates \(ECONNREFUSED\)/);
});

test("a key that others can read is told, and not used", async (t) => {
  const { box, laptop, trust } = await bed(t);
  laptop.environment["NIAC_CODE"] = CODE;
  await laptop.niac("enroll", box.url, ...trust, "--user", "alice");
  chmodSync(join(laptop.profiles, "default", "identity.pem"), 0o640);
  const error = await failure(laptop.niac("renew", "--now"));
  t.is(error.code, "key-open");
  t.regex(error.message, /mode 640/);
});
