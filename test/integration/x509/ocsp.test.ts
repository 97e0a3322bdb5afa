/** openssl as the responder, by files and without a socket: it answers what niac asks. */
import test from "ava";
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as x509 from "../../../src/x509/index.ts";
import { openssl } from "../../support/openssl.ts";
import { Pki, type Authority, type Credential } from "../../support/pki.ts";

const pki = Pki.create();
test.after.always(() => pki.remove());
const root = pki.root("OCSP Root");
const authority = root.intermediate("OCSP Issuing");
const [alice, bob] = [authority.client({ cn: "alice" }), authority.client({ cn: "bob" })];
authority.revoke(bob, "keyCompromise");
const responder = authority.client({
  cn: "Responder",
  eku: "OCSPSigning",
  rawExtensions: ["noCheck=ignored"],
});

const certificateOf = (pem: string): x509.Certificate =>
  x509.readCertificate(x509.pemToDer(pem)[0] ?? Buffer.of());
const issuer = certificateOf(authority.certPem);

function questionOf(credential: Credential): x509.OcspSubject {
  const { serialNumber } = certificateOf(credential.certPem);
  return { issuerName: issuer.subjectDer, issuerKey: issuer.key.bytes, serialNumber };
}

function answered(
  question: x509.OcspQuestion,
  signer: { readonly cert: string; readonly key: string },
  ...more: readonly string[]
): x509.OcspResponse {
  const stem = pki.newStem();
  writeFileSync(`${stem}.req`, x509.makeOcspRequest(question));
  const files = ["-reqin", `${stem}.req`, "-respout", `${stem}.resp`];
  const signing = ["-rsigner", signer.cert, "-rkey", signer.key];
  openssl([
    "ocsp",
    "-index",
    indexOf(authority),
    "-CA",
    authority.credential.cert,
    ...signing,
    ...files,
    "-ndays",
    "1",
    ...more,
  ]);
  return x509.readOcspResponse(readFileSync(`${stem}.resp`));
}

function indexOf({ credential }: Authority): string {
  return join(credential.cert, "..", "index.txt");
}

function successful(response: x509.OcspResponse): x509.OcspAnswer {
  if (response.status === "successful") return response;
  throw new Error(`the responder answered ${response.status}`);
}

for (const hash of ["sha1", "sha256"] as const) {
  test(`${hash}: good, revoked with its reason, and unknown`, (t) => {
    const nonce = randomBytes(32);
    const statusOf = (question: x509.OcspSubject): unknown => {
      const answer = successful(answered({ ...question, hash, nonce }, responder));
      const { certificate, delegated, noCheck } = answer.verify(issuer, Date.now());
      t.true(delegated && noCheck);
      t.is(x509.nameText(certificate.subject), "CN=Responder");
      t.deepEqual(Buffer.from(answer.nonce ?? []), nonce);
      const [single] = answer.responses;
      t.true(single !== undefined && x509.isCertIdOf(single.certId, question));
      t.is(((single?.nextUpdate ?? 0) - (single?.thisUpdate ?? 0)) / 86_400_000, 1);
      return single?.status;
    };
    t.deepEqual(statusOf(questionOf(alice)), { kind: "good" });
    t.like(statusOf(questionOf(bob)), { kind: "revoked", reason: "keyCompromise" });
    t.deepEqual(statusOf({ ...questionOf(alice), serialNumber: "0123456789" }), { kind: "unknown" });
  });
}

test("the authority may answer for itself, named or by its key", (t) => {
  for (const more of [[], ["-resp_key_id"]]) {
    const answer = successful(answered(questionOf(alice), authority.credential, ...more));
    t.false(answer.verify(issuer, Date.now()).delegated);
    t.is(answer.nonce, null);
  }
});

test("a certificate of the same authority that is not for OCSP, and the root above it, may not answer", (t) => {
  const strict = { code: "ocsp-responder" };
  t.throws(() => successful(answered(questionOf(alice), alice)).verify(issuer, Date.now()), strict);
  t.throws(() => successful(answered(questionOf(alice), root.credential)).verify(issuer, Date.now()), strict);
  const noCerts = successful(answered(questionOf(alice), responder, "-resp_no_certs"));
  t.throws(() => noCerts.verify(issuer, Date.now()), { code: "ocsp-signature" });
});

test("openssl shows the request as it was meant", (t) => {
  const stem = pki.newStem();
  const question = questionOf(alice);
  writeFileSync(`${stem}.req`, x509.makeOcspRequest({ ...question, nonce: Buffer.alloc(16, 0xab) }));
  const text = openssl(["ocsp", "-reqin", `${stem}.req`, "-req_text"]);
  t.regex(text, /Hash Algorithm: sha1/);
  t.regex(text, new RegExp(`Serial Number: ${question.serialNumber}`, "i"));
  t.regex(text, /OCSP Nonce: \s+0410ABABAB/);
});
