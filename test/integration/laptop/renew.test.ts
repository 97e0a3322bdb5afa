import { createHash, createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { NiacError } from "../../../src/base/index.ts";
import { readRequest } from "../../../src/x509/index.ts";
import { until } from "../../support/processes.ts";
import { FakeBox, type Asked } from "./fake-box.ts";
import { Laptop } from "./laptop.ts";

/** A laptop enrolled with a certificate of that life; `since`: seconds of it that are over. */
async function enrolled(
  t: ExecutionContext,
  seconds: number,
  since = 0,
): Promise<{ box: FakeBox; laptop: Laptop; identity: () => string }> {
  const box = await FakeBox.start(t);
  const laptop = new Laptop(t);
  laptop.environment["NIAC_CODE"] = "AB12";
  box.answer = ({ request }) => ({ certificate: box.issue(request, seconds, since * 1_000) });
  const fingerprint = createHash("sha256").update(box.root).digest("hex");
  await laptop.niac("enroll", box.url, "--fingerprint", fingerprint, "--user", "alice");
  return {
    box,
    laptop,
    identity: () => readFileSync(join(laptop.profiles, "default", "identity.pem"), "utf8"),
  };
}

function paths({ asked }: FakeBox): string[] {
  return asked.map(({ path, by }) => `${path.replace("/.well-known/est/", "")} ${by ?? "nobody"}`);
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

test("before two thirds of the life nothing is done; with --now it is renewed with a new key and the same names", async (t) => {
  const { box, laptop, identity } = await enrolled(t, 90 * 86_400);
  const before = identity();
  await laptop.niac("renew");
  t.is(identity(), before);
  t.regex(laptop.out.at(-1) ?? "", /^The certificate of alice is valid for 90 d more; it is renewed from /);
  await laptop.niac("renew", "--now");
  const after = identity();
  t.not(after, before);
  const certificate = new X509Certificate(after);
  t.true(certificate.checkPrivateKey(createPrivateKey(after)), "key and certificate belong together");
  t.false(certificate.checkPrivateKey(createPrivateKey(before)), "and the key is new");
  t.deepEqual(paths(box), ["simpleenroll nobody", "simplereenroll alice"]);
  const [first, second] = box.asked.map(({ request }) => readRequest(request ?? Buffer.of()));
  t.deepEqual(second?.subject, first?.subject);
  t.deepEqual(second?.altNames, first?.altNames);
  t.deepEqual(Object.keys(laptop.files()).length, 4);
});

test("after two thirds it is renewed without being told", async (t) => {
  const { box, laptop } = await enrolled(t, 3_000, 2_001);
  await laptop.niac("renew");
  t.deepEqual(paths(box), ["simpleenroll nobody", "simplereenroll alice"]);
  t.regex(laptop.out.at(-1) ?? "", /^Renewed: the certificate of alice is valid until /);
});

test("a renewal that fails leaves what there was, and says for how long it still does", async (t) => {
  const { box, laptop, identity } = await enrolled(t, 90 * 86_400);
  const before = identity();
  const stranger = await FakeBox.start(t);
  const faults: [(asked: Asked) => ReturnType<FakeBox["answer"]>, string][] = [
    [() => ({ status: 503, text: "no room" }), "est-busy"],
    [() => ({ status: 403, text: "revoked: laptop lost" }), "est-refused"],
    [() => ({ status: 202, retryAfter: 60 }), "renew-waits"],
    [() => ({ certificate: box.issuing }), "est-other-key"],
    [({ request }) => ({ certificate: stranger.issue(request) }), "est-chain"],
  ];
  for (const [answer, code] of faults) {
    box.answer = answer;
    t.is((await failure(laptop.niac("renew", "--now"))).code, code);
    t.is(identity(), before, code);
    t.regex(laptop.err.at(-1) ?? "", /^The certificate in use stays, and is valid for 90 d more\.$/);
  }
});

test("an ended certificate is not sent anywhere: enrol anew", async (t) => {
  const { box, laptop } = await enrolled(t, 90);
  box.answer = ({ request }) => ({ certificate: box.issue(request, 11, 1_000) });
  await laptop.niac("renew", "--now");
  await until(() => Date.now() > Date.parse(expiry(laptop)), "the certificate to end");
  const error = await failure(laptop.niac("renew"));
  t.is(error.code, "certificate-expired");
  t.is(
    error.advice,
    `Look at this computer's clock; if it is right, enrol anew: niac enroll ${box.url} --again`,
  );
  t.is(box.asked.length, 2);
});

function expiry(laptop: Laptop): string {
  return new X509Certificate(readFileSync(join(laptop.profiles, "default", "identity.pem"))).validTo;
}

test("--watch renews again and again, goes on after failures, and ends when told to", async (t) => {
  const { box, laptop, identity } = await enrolled(t, 12);
  let fail = 2;
  box.answer = ({ request }) => {
    if (fail-- > 0) return { status: 500, text: "out of order" };
    return { certificate: box.issue(request, 12, 0) };
  };
  const first = identity();
  const watching = laptop.niac("renew", "--watch");
  await laptop.line(/^The renewal failed: .*out of order/);
  await laptop.line(/^The certificate in use stays, and is valid for \d+ s more\. Next try in \d+ s\.$/);
  t.is(identity(), first);
  await until(() => laptop.out.filter((line) => line.startsWith("Renewed: ")).length >= 2, "two renewals");
  t.true(new X509Certificate(identity()).checkPrivateKey(createPrivateKey(identity())));
  laptop.interrupt();
  await t.notThrowsAsync(watching);
});

test("--watch says when there is nothing left to renew with", async (t) => {
  const { box, laptop } = await enrolled(t, 3);
  box.answer = () => ({ status: 403, text: "revoked" });
  const error = await failure(laptop.niac("renew", "--watch"));
  t.is(error.code, "certificate-expired");
});

test("without a profile: how to get one", async (t) => {
  const error = await failure(new Laptop(t).niac("renew"));
  t.is(error.code, "no-profile");
  t.is(error.advice, "Enrol first: niac enroll https://<box>");
});
