import test from "ava";
import { isRefusal, readIdentity, type Refusal } from "../../../src/identity/index.ts";
import { certificate, name, NOW, OID, seq, time, usage, utf8, type Parts } from "../x509/writer.ts";

function refusalOf(authorizationError: string, parts: Parts = {}): Refusal {
  const outcome = readIdentity({ leaf: certificate(parts), authorized: false, authorizationError }, NOW);
  if (!isRefusal(outcome)) throw new Error(`accepted in spite of ${authorizationError}`);
  return outcome;
}

/** Every code Node has for X509_verify_cert's errors, and what it says for the rest. */
const CODES: Readonly<Record<string, string>> = {
  UNABLE_TO_GET_ISSUER_CERT: "untrusted",
  UNABLE_TO_GET_CRL: "revocation-unknown",
  UNABLE_TO_DECRYPT_CERT_SIGNATURE: "bad-signature",
  UNABLE_TO_DECRYPT_CRL_SIGNATURE: "revocation-unknown",
  UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY: "bad-chain",
  CERT_SIGNATURE_FAILURE: "bad-signature",
  CRL_SIGNATURE_FAILURE: "revocation-unknown",
  CERT_NOT_YET_VALID: "authority-not-yet-valid",
  CRL_NOT_YET_VALID: "revocation-unknown",
  CERT_HAS_EXPIRED: "authority-expired",
  CRL_HAS_EXPIRED: "revocation-unknown",
  ERROR_IN_CERT_NOT_BEFORE_FIELD: "not-verified",
  ERROR_IN_CERT_NOT_AFTER_FIELD: "not-verified",
  ERROR_IN_CRL_LAST_UPDATE_FIELD: "not-verified",
  ERROR_IN_CRL_NEXT_UPDATE_FIELD: "not-verified",
  OUT_OF_MEM: "not-verified",
  DEPTH_ZERO_SELF_SIGNED_CERT: "untrusted",
  SELF_SIGNED_CERT_IN_CHAIN: "untrusted",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "untrusted",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "untrusted",
  CERT_CHAIN_TOO_LONG: "bad-chain",
  CERT_REVOKED: "revoked",
  INVALID_CA: "bad-chain",
  PATH_LENGTH_EXCEEDED: "bad-chain",
  INVALID_PURPOSE: "wrong-purpose",
  CERT_UNTRUSTED: "untrusted",
  CERT_REJECTED: "untrusted",
  HOSTNAME_MISMATCH: "not-verified",
  UNSPECIFIED: "not-verified",
  SOMETHING_NEW: "not-verified",
  toString: "not-verified",
};

test("whatever OpenSSL refuses stays refused, with a reason and an advice in words", (t) => {
  for (const [error, code] of [...Object.entries(CODES), ["__proto__", "not-verified"] as const]) {
    const refusal = refusalOf(error);
    t.is(refusal.code, code, error);
    t.regex(refusal.reason, /^The certificate of CN=alice [a-z].*\.$/, error);
    t.regex(refusal.advice, /^[A-Z].*\.$/, error);
    t.is(refusal.presented?.subject, "CN=alice");
  }
});

test("expired and not yet valid name the certificate whose dates they are", (t) => {
  const past = { validity: seq(time(NOW - 2000), time(NOW - 1000)) };
  const future = { validity: seq(time(NOW + 60_000), time(NOW + 120_000)) };
  t.is(refusalOf("CERT_HAS_EXPIRED", past).code, "expired");
  t.is(refusalOf("CERT_NOT_YET_VALID", future).code, "not-yet-valid");
  t.is(
    refusalOf("CERT_NOT_YET_VALID", future).reason,
    "The certificate of CN=alice is not valid before 2026-06-15 12:01 UTC.",
  );
  t.is(
    refusalOf("CERT_HAS_EXPIRED").reason,
    "The certificate of CN=alice was issued by an authority that has expired.",
  );
});

test("an unknown authority is named, an untrusted certificate's other faults are not", (t) => {
  const refusal = refusalOf("UNABLE_TO_VERIFY_LEAF_SIGNATURE", {
    issuer: name([OID.o, utf8("Acme")], [OID.cn, utf8("Acme CA")]),
    validity: seq(time(NOW - 2000), time(NOW - 1000)),
  });
  t.is(
    refusal.reason,
    "The certificate of CN=alice was issued by CN=Acme CA,O=Acme, an authority that is not known here.",
  );
});

test("where OpenSSL says only that the purpose is wrong, niac says which usage is missing", (t) => {
  const server = { extensions: [usage(OID.serverAuth)] };
  t.is(refusalOf("INVALID_PURPOSE", server).code, "no-client-auth");
  t.is(
    refusalOf("UNSPECIFIED", { algorithm: seq(Buffer.from("06072a8648ce3d0401", "hex")) }).code,
    "weak-signature",
  );
});
