import test from "ava";
import { explainWords } from "../../../src/laptop/token-words.ts";

const ABOUT = {
  where: "box:8443",
  appliance: "box",
  own: {
    subject: "alice",
    serialNumber: "01",
    notBefore: 0,
    notAfter: 2e12,
    file: "identity.pem",
    caFile: "ca.pem",
  },
  seen: null,
  now: 1e12,
};

/** What OpenSSL 3.0 says on standard error, and the code of the error it becomes. */
const SAID: readonly (readonly [words: string, code: string])[] = [
  ["verify error:num=20:unable to get local issuer certificate", "appliance-untrusted"],
  ["verify error:num=19:self-signed certificate in certificate chain", "appliance-untrusted"],
  ["verify error:num=10:certificate has expired", "appliance-certificate"],
  ["verify error:num=62:hostname mismatch", "appliance-name"],
  ["verify error:num=64:IP address mismatch", "appliance-name"],
  ["verify error:num=26:unsuitable certificate purpose", "appliance-untrusted"],
  ["error:8000006F:system library:BIO_connect:Connection refused\nconnect:errno=111", "unreachable"],
  [
    "error:0A000418:SSL routines:ssl3_read_bytes:tlsv1 alert unknown ca:rec_layer_s3.c:1586:SSL alert number 48",
    "certificate-refused",
  ],
  [
    "error:0A000460:SSL routines:ssl3_read_bytes:tlsv1 alert no application protocol:rec_layer_s3.c:1:SSL alert number 120",
    "not-niac",
  ],
  ["error:0A000126:SSL routines:ssl3_read_n:unexpected eof while reading", "certificate-refused"],
  [
    "Login failed\nPKCS11_get_private_key returned NULL\nERR_CKR_error:PIN incorrect:p11_slot.c:208",
    "token-pin-wrong",
  ],
  ["The private key was not found at: pkcs11:token=card", "token-key"],
  ['invalid engine "pkcs11"', "token-tools"],
];

for (const [words, code] of SAID) {
  test(`${code}: ${words.split("\n")[0]}`, (t) =>
    t.is(explainWords(`Engine "pkcs11" set.\n${words}\n`, ABOUT).code, code));
}
