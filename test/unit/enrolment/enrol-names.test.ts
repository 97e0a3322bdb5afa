import { generateKeyPairSync } from "node:crypto";
import test from "ava";
import { deviceIn, differenceOf, withoutNames } from "../../../src/enrolment/enrol-names.ts";
import * as x509 from "../../../src/x509/index.ts";

const NAMES: x509.AltName[] = [{ uri: "urn:niac:device:laptop%207" }, { uri: "urn:niac:tier:managed" }];

const keys = generateKeyPairSync("ec", { namedCurve: "P-256" });

function request(name: Uint8Array, altNames: readonly x509.AltName[] = []): x509.CertificationRequest {
  return x509.readRequest(x509.makeRequest({ subject: name, altNames }, keys));
}

function certificate(name: Uint8Array, altNames: readonly x509.AltName[]): x509.Certificate {
  const der = x509.makeCertificate(
    {
      serialNumber: x509.randomSerial(),
      issuer: x509.makeName([["CN", "x"]]),
      subject: name,
      notBefore: 0,
      notAfter: 1_000,
      publicKey: x509.publicKeyInfoOf(keys.publicKey),
      extensions: [x509.subjectAltName(altNames)],
    },
    keys.privateKey,
  );
  return x509.readCertificate(der);
}

const ALICE = x509.makeName([["CN", "alice"]]);
const HELD = certificate(ALICE, NAMES);

test("the same names, in whatever order and encoding, differ in nothing; neither does a request without names", (t) => {
  t.is(differenceOf(request(ALICE, NAMES), HELD), null);
  t.is(differenceOf(request(ALICE, NAMES.toReversed()), HELD), null);
  t.is(differenceOf(request(ALICE), HELD), null);
  t.is(differenceOf(request(x509.makeName([])), HELD), null);
  const printable = x509.der.sequence(
    x509.der.set(x509.der.sequence(x509.der.oid("2.5.4.3"), x509.der.printableString("alice"))),
  );
  t.is(differenceOf(request(printable), HELD), null);
});

function told(wish: x509.CertificationRequest): string {
  return differenceOf(wish, HELD) ?? "";
}

test("whatever differs is told", (t) => {
  t.regex(told(request(x509.makeName([["CN", "Alice"]]))), /CN=Alice/);
  t.regex(
    told(
      request(
        x509.makeName([
          ["O", "x"],
          ["CN", "alice"],
        ]),
      ),
    ),
    /the certificate says CN=alice/,
  );
  t.regex(told(request(ALICE, [...NAMES, { dns: "a" }])), /asks for DNS:a/);
  t.regex(told(request(ALICE, NAMES.slice(1))), /leaves out URI:urn:niac:device:laptop%207/);
});

test("without its names a request keeps its key", (t) => {
  const whole = request(ALICE, NAMES);
  const bare = withoutNames(whole);
  t.deepEqual(bare.subject, []);
  t.deepEqual(bare.extensionRequests, []);
  t.deepEqual(bare.altNames.uri, []);
  t.is(bare.publicKeyInfo, whole.publicKeyInfo);
});

test("the device is the one that is named, decoded; none and two are none", (t) => {
  t.is(deviceIn(request(ALICE, NAMES)), "laptop 7");
  t.is(deviceIn(request(ALICE)), null);
  t.is(deviceIn(request(ALICE, [...NAMES, { uri: "urn:niac:device:b" }])), null);
  t.is(deviceIn(request(ALICE, [{ uri: "urn:niac:device:%zz" }])), null);
});
