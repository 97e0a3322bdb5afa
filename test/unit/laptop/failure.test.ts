import test from "ava";
import { PeerError, UnavailableError, UsageError } from "../../../src/base/index.ts";
import { closedUnanswered, explainFailure, type Circumstances } from "../../../src/laptop/failure.ts";

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 4, 1);
const ABOUT: Circumstances = {
  where: "192.0.2.1:8443",
  appliance: "box.example",
  own: {
    subject: "alice",
    serialNumber: "0A0B",
    notBefore: NOW - DAY,
    notAfter: NOW + DAY,
    file: "alice.crt",
    caFile: "ca.crt",
  },
  seen: { subject: "other", issuer: "CN=Other Root", names: "DNS:other.example" },
  now: NOW,
};

function system(code: string): Error {
  return Object.assign(new Error(`connect ${code}`), { code });
}

test("an appliance that cannot be reached", (t) => {
  const error = explainFailure(system("ECONNREFUSED"), ABOUT);
  t.true(error instanceof UnavailableError);
  t.is(error.message, "192.0.2.1:8443 cannot be reached (ECONNREFUSED)");
  t.regex(error.advice ?? "", /port of --via/);
  t.regex(explainFailure(system("EHOSTUNREACH"), ABOUT).advice ?? "", /network/);
});

test("a refused certificate is named with the alert, and its dates where they are the reason", (t) => {
  for (const code of ["ERR_SSL_TLSV1_ALERT_UNKNOWN_CA", "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED"]) {
    const error = explainFailure(system(code), ABOUT);
    t.true(error instanceof UsageError);
    t.regex(
      error.message,
      /192\.0\.2\.1:8443 answered the certificate of alice \(serial number 0A0B\) with the alert "(unknown ca|certificate required)"/,
    );
  }
  const late = closedUnanswered({ ...ABOUT, now: NOW + 2 * DAY });
  t.regex(late.advice ?? "", /expired on 2026-05-02/);
  const early = closedUnanswered({ ...ABOUT, now: NOW - 2 * DAY });
  t.regex(early.advice ?? "", /not valid before 2026-04-30/);
  t.regex(closedUnanswered(ABOUT).advice ?? "", /audit query/);
});

test("somebody else's certificate is named, with its issuer and the file it was held against", (t) => {
  const error = explainFailure(system("SELF_SIGNED_CERT_IN_CHAIN"), ABOUT);
  t.true(error instanceof PeerError);
  t.is(
    error.message,
    '192.0.2.1:8443 showed a certificate of "other" that no authority in ca.crt issued; its issuer is "CN=Other Root"',
  );
});

test("a certificate for another name says for which", (t) => {
  const error = explainFailure(system("ERR_TLS_CERT_ALTNAME_INVALID"), ABOUT);
  t.is(
    error.message,
    '192.0.2.1:8443 showed a certificate of "other" that is not for box.example, but for DNS:other.example',
  );
  t.regex(error.advice ?? "", /--appliance/);
});

test("the appliance's own certificate out of its time", (t) => {
  t.regex(explainFailure(system("CERT_HAS_EXPIRED"), ABOUT).message, /has expired/);
  t.regex(explainFailure(system("CERT_NOT_YET_VALID"), ABOUT).message, /is not valid yet/);
});

test("what is no TLS, or no niac", (t) => {
  t.regex(explainFailure(system("ERR_SSL_WRONG_VERSION_NUMBER"), ABOUT).message, /TLS handshake .* failed/);
  t.is(explainFailure(system("ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL"), ABOUT).code, "not-niac");
});

test("what is explained already stays as it is", (t) => {
  const error = new PeerError("x", "y");
  t.is(explainFailure(error, ABOUT), error);
});
