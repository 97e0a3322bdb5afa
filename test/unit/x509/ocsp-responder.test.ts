import test from "ava";
import { createHash, type KeyObject } from "node:crypto";
import * as x509 from "../../../src/x509/index.ts";
import { answer, byName, issuer, read, type AnswerParts } from "./answers.ts";
import { codeOf, DAY, keyOf, made, NOW } from "./made.ts";
import { der, extension, int, seq } from "./writer.ts";

const responderKey = keyOf("p384");
const responderName = x509.makeName([["CN", "Responder"]]);
const responderParts = {
  subject: responderName,
  publicKey: x509.publicKeyInfoOf(responderKey.publicKey),
  extensions: [x509.keyUsage(["digitalSignature"]), x509.extendedKeyUsage(["ocspSigning"])],
};
const responder = made(responderParts);

const verified = (parts: AnswerParts, now = NOW): string =>
  codeOf(() => read(answer(parts)).verify(issuer, now));
const delegated = (certificate: Uint8Array, id = byName(responderName)): AnswerParts => ({
  id,
  certificates: [certificate],
  key: responderKey.privateKey,
});

test("the issuer itself may sign, named or by its key", (t) => {
  const said = read(answer()).verify(issuer, NOW);
  t.false(said.delegated);
  t.is(said.certificate, issuer);
  const hash = createHash("sha1").update(issuer.key.bytes).digest();
  t.is(verified({ id: der(0xa2, der(0x04, hash)) }), "accepted");
  t.is(verified({ id: der(0xa2, der(0x04, Buffer.alloc(20))) }), "ocsp-signature");
  t.is(verified({ key: responderKey.privateKey }), "ocsp-signature");
});

test("a responder that the issuer certified may sign, and says whether its revocation is to be looked up", (t) => {
  const said = read(answer(delegated(responder))).verify(issuer, NOW);
  t.true(said.delegated);
  t.false(said.noCheck);
  const noCheck = made({
    ...responderParts,
    extensions: [...responderParts.extensions, extension("1.3.6.1.5.5.7.48.1.5", der(0x05))],
  });
  t.true(read(answer(delegated(noCheck))).verify(issuer, NOW).noCheck);
  // Among others, and behind one that is no certificate.
  const parts = { ...delegated(responder), certificates: [seq(), made(), responder] };
  t.is(verified(parts), "accepted");
});

test("a responder that the issuer did not certify for this is refused", (t) => {
  const changed = (parts: Partial<x509.CertificateTemplate>, key?: KeyObject): string =>
    verified(delegated(made({ ...responderParts, ...parts }, key)));
  t.is(changed({}), "accepted");
  t.is(changed({ extensions: [x509.extendedKeyUsage(["clientAuth", "serverAuth"])] }), "ocsp-responder");
  t.is(changed({ extensions: [x509.extendedKeyUsage(["2.5.29.37.0"])] }), "ocsp-responder");
  t.is(changed({ extensions: [] }), "ocsp-responder");
  t.is(changed({ extensions: [x509.extendedKeyUsage(["ocspSigning"])] }), "accepted");
  t.is(
    changed({ extensions: [x509.keyUsage(["keyAgreement"]), x509.extendedKeyUsage(["ocspSigning"])] }),
    "ocsp-responder",
  );
  t.is(
    changed({ extensions: [...responderParts.extensions, x509.extendedKeyUsage(["clientAuth"])] }),
    "ocsp-responder",
  );
  t.is(changed({ extensions: [extension(x509.EXTENSION.extendedKeyUsage, int(1))] }), "ocsp-responder");
  t.is(changed({ issuer: x509.makeName([["CN", "Another"]]) }), "ocsp-responder");
  t.is(
    changed({}, keyOf("ed25519").privateKey),
    "ocsp-responder",
    "signed by another key under the issuer's name",
  );
  t.is(verified({ ...delegated(responder), certificates: [] }), "ocsp-signature");
  t.is(verified(delegated(responder, byName(x509.makeName([["CN", "Nobody"]])))), "ocsp-signature");
});

test("a responder's certificate is valid to the millisecond, and not beyond", (t) => {
  const [from, to] = [NOW - DAY / 2, NOW + DAY / 2];
  for (const [now, outcome] of [
    [from, "accepted"],
    [from - 1, "ocsp-responder"],
    [to, "accepted"],
    [to + 1, "ocsp-responder"],
    [Number.NaN, "ocsp-responder"],
  ] as const) {
    t.is(verified(delegated(responder), now), outcome);
  }
});
