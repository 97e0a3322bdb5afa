/** openssl agrees with what niac writes. ML-DSA is not in the system's openssl 3.0: see handshake.test.ts for it. */
import test from "ava";
import { spawnSync } from "node:child_process";
import * as x509 from "../../../src/x509/index.ts";
import { openssl } from "../../support/openssl.ts";
import { Plant, type Made } from "./plant.ts";

const ALGORITHMS = ["p256", "p384", "ed25519"] as const;
const plants = new Map(
  await Promise.all(ALGORITHMS.map(async (algorithm) => [algorithm, await Plant.create(algorithm)] as const)),
);
test.after.always(() => {
  for (const plant of plants.values()) plant.remove();
});

/** What openssl said, and whether it was content. */
function asked(args: readonly string[]): { readonly ok: boolean; readonly said: string } {
  const { status, stdout, stderr } = spawnSync("openssl", args, { encoding: "utf8", timeout: 60_000 });
  return { ok: status === 0, said: `${stdout}${stderr}` };
}

function verify(
  plant: Plant,
  leaf: Made,
  ...more: readonly string[]
): { readonly ok: boolean; readonly said: string } {
  const chain = ["-CAfile", plant.root.file, "-untrusted", plant.issuing.file];
  return asked(["verify", "-x509_strict", "-purpose", "sslclient", ...chain, ...more, leaf.file]);
}

for (const [algorithm, plant] of plants) {
  test(`${algorithm}: openssl verifies the chain, strictly, and shows every extension`, async (t) => {
    const leaf = await plant.leaf({
      altNames: [
        { dns: "laptop-7.plant" },
        { uri: "urn:niac:device:laptop-7" },
        { ip: "2001:db8::7" },
        { email: "alice@plant.example" },
      ],
      more: [
        x509.crlDistributionPoints(["http://box.plant/crl/issuing.crl", "http://other.plant/issuing.crl"]),
        x509.authorityInformationAccess({
          ocsp: ["http://box.plant/ocsp"],
          caIssuers: ["http://box.plant/issuing.cer"],
        }),
        x509.modbusRole("Operator"),
      ],
    });
    const verified = verify(plant, leaf);
    t.true(verified.ok, verified.said);
    const text = openssl(["x509", "-in", leaf.file, "-noout", "-text", "-certopt", "ext_parse"]);
    for (const part of [
      /Basic Constraints: critical\s+CA:FALSE/,
      /Key Usage: critical\s+Digital Signature\n/,
      /Extended Key Usage: \s+TLS Web Client Authentication\n/,
      /DNS:laptop-7.plant, URI:urn:niac:device:laptop-7, IP Address:2001:DB8:0:0:0:0:0:7, email:alice@plant.example\n/,
      /URI:http:\/\/box.plant\/crl\/issuing.crl[^]*URI:http:\/\/other.plant\/issuing.crl/,
      /OCSP - URI:http:\/\/box.plant\/ocsp\s+CA Issuers - URI:http:\/\/box.plant\/issuing.cer/,
      /1\.3\.6\.1\.4\.1\.50316\.802\.1:\s+[^\n]*UTF8STRING\s+:Operator/,
      /Subject: OU = maintenance, CN = alice\n/,
      /Issuer: O = Plant 7, CN = Plant Issuing\n/,
    ]) {
      t.regex(text, part);
    }
    const authority = openssl(["x509", "-in", plant.issuing.file, "-noout", "-text"]);
    t.regex(authority, /Basic Constraints: critical\s+CA:TRUE, pathlen:0\n/);
    t.regex(authority, /Key Usage: critical\s+Certificate Sign, CRL Sign\n/);
  });

  test(`${algorithm}: openssl takes the request and its proof of possession`, async (t) => {
    const keys = await x509.generateKey(algorithm);
    const request = x509.makeRequest(
      {
        subject: x509.makeName([["CN", "alice"]]),
        altNames: [{ dns: "laptop-7.plant" }],
        challengePassword: "a code",
      },
      keys,
    );
    const file = plant.write("csr", x509.toPem(request, "CERTIFICATE REQUEST"));
    const { ok, said } = asked(["req", "-in", file, "-noout", "-verify", "-text"]);
    t.true(ok);
    t.regex(said, /verify OK/);
    t.regex(said, /challengePassword\s+:a code/);
    t.regex(said, /DNS:laptop-7.plant/);
    const other = plant.write("csr", x509.toPem(changed(request), "CERTIFICATE REQUEST"));
    t.notRegex(asked(["req", "-in", other, "-noout", "-verify"]).said, /verify OK/);
  });

  test(`${algorithm}: openssl takes the revocation list, and refuses the certificate on it and no other`, async (t) => {
    const [revoked, other] = [await plant.leaf(), await plant.leaf({ cn: "bob" })];
    const { serialNumber } = revoked.certificate;
    const entries = [{ serialNumber, revokedAt: Date.UTC(2026, 2, 1, 12), reason: "keyCompromise" }] as const;
    const file = plant.write("crl", plant.crl(plant.issuing, entries));
    const rootFile = plant.write("crl", plant.crl(plant.root));

    const shown = asked(["crl", "-in", file, "-CAfile", plant.issuing.file, "-noout", "-text"]);
    t.regex(shown.said, /verify OK/);
    t.regex(shown.said, /Version 2 \(0x1\)/);
    t.regex(shown.said, /X509v3 CRL Number: \s+5\n/);
    t.regex(shown.said, new RegExp(`Serial Number: ${serialNumber}`, "i"));
    t.regex(shown.said, /Revocation Date: Mar {2}1 12:00:00 2026 GMT/);
    t.regex(shown.said, /X509v3 CRL Reason Code: \s+Key Compromise/);
    t.notRegex(asked(["crl", "-in", file, "-CAfile", plant.root.file, "-noout"]).said, /verify OK/);

    const lists = ["-crl_check_all", "-CRLfile", file, "-CRLfile", rootFile];
    const refused = verify(plant, revoked, ...lists);
    t.false(refused.ok);
    t.regex(refused.said, /certificate revoked/);
    t.true(verify(plant, other, ...lists).ok);
    t.regex(asked(["crl", "-in", rootFile, "-noout", "-text"]).said, /No Revoked Certificates/);
  });

  test(`${algorithm}: openssl reads the certificates out of the message`, async (t) => {
    const leaf = await plant.leaf();
    const message = x509.makeCertsOnly([leaf.der, plant.issuing.der, plant.root.der]);
    const file = plant.write("p7", message);
    const printed = openssl(["pkcs7", "-inform", "DER", "-in", file, "-print_certs"]);
    t.deepEqual(x509.pemToDer(printed), [leaf.der, plant.issuing.der, plant.root.der]);
    // Another reader of openssl's, for CMS proper.
    const cms = openssl(["cms", "-cmsout", "-print", "-inform", "DER", "-in", file]);
    t.regex(cms, /contentType: pkcs7-signedData[^]*eContentType: pkcs7-data[^]*signerInfos:\s+<EMPTY>/);
  });
}

test("a delta names its base to openssl", async (t) => {
  const plant = await Plant.create("p256");
  t.teardown(() => plant.remove());
  const { issuing } = plant;
  const der = x509.makeCrl(
    {
      issuer: issuing.certificate.subjectDer,
      thisUpdate: Date.now(),
      nextUpdate: Date.now() + 60_000,
      number: 300n,
      delta: 5n,
      entries: [{ serialNumber: "05", revokedAt: Date.now(), reason: "removeFromCRL" }],
      authorityKeyId: x509.keyIdOf(issuing.certificate.publicKeyInfo),
    },
    issuing.keys.privateKey,
  );
  const { said } = asked([
    "crl",
    "-inform",
    "DER",
    "-in",
    plant.write("crl", der),
    "-CAfile",
    issuing.file,
    "-noout",
    "-text",
  ]);
  t.regex(said, /verify OK/);
  t.regex(said, /X509v3 Delta CRL Indicator: critical\s+5\n/);
  t.regex(said, /Remove From CRL/);
});

test("openssl holds the name constraints of the issuing authority", async (t) => {
  const constraints = x509.nameConstraints({
    permitted: { dns: ["plant.example"], ip: ["10.0.0.0/8", "2001:db8::/32"] },
    excluded: { dns: ["office.plant.example"] },
  });
  const plant = await Plant.create("p256", [constraints]);
  t.teardown(() => plant.remove());
  const verdict = async (...altNames: readonly x509.AltName[]): Promise<boolean> =>
    verify(plant, await plant.leaf({ altNames })).ok;
  t.true(await verdict({ dns: "laptop-7.plant.example" }, { ip: "10.1.2.3" }, { ip: "2001:db8::1" }));
  t.true(await verdict({ uri: "urn:niac:device:laptop-7" }), "URIs are not constrained");
  t.false(await verdict({ dns: "laptop-7.other.example" }));
  t.false(await verdict({ dns: "a.office.plant.example" }));
  t.false(await verdict({ ip: "11.1.2.3" }));
  t.false(await verdict({ ip: "2001:db9::1" }));
});

test("openssl holds constraints by directory name", async (t) => {
  const plant = await Plant.create("p256", [
    x509.nameConstraints({ permitted: { directory: [x509.makeName([["OU", "maintenance"]])] } }),
  ]);
  t.teardown(() => plant.remove());
  t.true(verify(plant, await plant.leaf()).ok);
  const keys = await x509.generateKey("p256");
  const usages = [x509.keyUsage(["digitalSignature"]), x509.extendedKeyUsage(["clientAuth"])];
  const stranger = plant.certify(
    plant.issuing,
    keys,
    [
      ["OU", "office"],
      ["CN", "alice"],
    ],
    usages,
  );
  t.false(verify(plant, stranger).ok);
});

test("openssl reads a list of 100,000 certificates of niac's, and niac one after the other", async (t) => {
  const plant = await Plant.create("p256");
  t.teardown(() => plant.remove());
  const entries = Array.from({ length: 100_000 }, (_, at) => ({
    serialNumber: (0x4000_0000_0000 + at).toString(16),
    revokedAt: 1_700_000_000_000 + at * 1000,
    reason: at % 2 === 0 ? ("unspecified" as const) : ("superseded" as const),
  }));
  const pem = plant.crl(plant.issuing, entries);
  const { said } = asked([
    "crl",
    "-in",
    plant.write("crl", pem),
    "-CAfile",
    plant.issuing.file,
    "-noout",
    "-crlnumber",
  ]);
  t.regex(said, /verify OK/);
  const [der = Buffer.of()] = x509.pemToDer(pem, "X509 CRL", pem.length);
  const list = x509.readCrl(der);
  t.true(list.verify(plant.issuing.certificate));
  let at = 0;
  for (const { serialNumber, revokedAt, reason } of list.entries()) {
    const entry = entries[at++];
    if (entry?.serialNumber !== serialNumber || entry.revokedAt !== revokedAt || entry.reason !== reason) {
      t.fail(`entry ${at} is ${serialNumber}`);
      return;
    }
  }
  t.is(at, entries.length);
});

/** The last byte of the signature, changed. */
function changed(der: Buffer): Buffer {
  const bytes = Buffer.from(der);
  bytes[bytes.length - 1]! ^= 1;
  return bytes;
}
