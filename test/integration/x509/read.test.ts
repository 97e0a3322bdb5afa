/** niac reads what openssl and strongSwan write. */
import test from "ava";
import { spawnSync } from "node:child_process";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import * as x509 from "../../../src/x509/index.ts";
import { openssl } from "../../support/openssl.ts";
import { Pki, type KeyKind } from "../../support/pki.ts";
import { testWith } from "../../support/tools.ts";

const pki = Pki.create();
test.after.always(() => pki.remove());

const derOf = (pem: string, label: x509.PemLabel): Buffer => x509.pemToDer(pem, label)[0] ?? Buffer.of();
const certificateOf = (pem: string): x509.Certificate => x509.readCertificate(derOf(pem, "CERTIFICATE"));

const KEYS: readonly (readonly [
  name: string,
  args: readonly string[],
  algorithm: x509.KeyKind["keyAlgorithm"],
  bits: number | null,
])[] = [
  ["p256", ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], "p256", null],
  ["p384", ["ec", "-pkeyopt", "ec_paramgen_curve:P-384"], "p384", null],
  ["p521", ["ec", "-pkeyopt", "ec_paramgen_curve:P-521"], "other", null],
  ["ed25519", ["ed25519"], "ed25519", null],
  ["rsa2048", ["rsa:2048"], "rsa", 2048],
  ["rsa1024", ["rsa:1024"], "rsa", 1024],
];

for (const [name, args, algorithm, bits] of KEYS) {
  test(`a request of openssl's with a key of ${name}`, (t) => {
    const stem = pki.newStem();
    const subject = ["-subj", "/O=Plant 7/CN=alice"];
    const names = [
      "-addext",
      "subjectAltName=DNS:laptop-7.plant,IP:10.0.0.1,IP:::1,URI:urn:niac:device:x,email:a@b",
    ];
    openssl([
      "req",
      "-new",
      "-nodes",
      "-newkey",
      ...args,
      "-keyout",
      `${stem}.key`,
      "-out",
      `${stem}.csr`,
      ...subject,
      ...names,
    ]);
    const der = derOf(readFileSync(`${stem}.csr`, "utf8"), "CERTIFICATE REQUEST");
    const request = x509.readRequest(der);
    t.is(request.keyAlgorithm, algorithm);
    t.is(request.rsaBits, bits);
    t.is(x509.nameText(request.subject), "CN=alice,O=Plant 7");
    t.deepEqual(request.altNames, {
      dns: ["laptop-7.plant"],
      ip: ["10.0.0.1", "::1"],
      uri: ["urn:niac:device:x"],
      email: ["a@b"],
      others: 0,
    });
    const changed = Buffer.from(der);
    changed[changed.length - 1]! ^= 1;
    t.throws(() => x509.readRequest(changed), { code: "request-signature" });
  });
}

test("a request with a challenge password, and one signed with SHA-1", (t) => {
  const stem = pki.newStem();
  const config = `[req]\nprompt = no\ndistinguished_name = dn\nattributes = more\n[dn]\nCN = alice\n[more]\nchallengePassword = the code\n`;
  const path = `${stem}.cnf`;
  writeFileSync(path, config);
  const key = ["-newkey", "rsa:2048", "-nodes", "-keyout", `${stem}.key`];
  const made = (...more: readonly string[]): Buffer =>
    derOf(openssl(["req", "-new", "-config", path, ...key, ...more]), "CERTIFICATE REQUEST");
  t.is(x509.readRequest(made()).challengePassword, "the code");
  const pss = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32"];
  t.is(x509.readRequest(made(...pss)).rsaBits, 2048);
  t.throws(() => x509.readRequest(made("-sha1")), { code: "request-signature" });
});

for (const key of ["p256", "p384", "p521", "ed25519", "ed448", "rsa2048", "rsa3072"] satisfies KeyKind[]) {
  test(`a list of an authority of openssl's with a key of ${key}`, (t) => {
    const root = pki.root(`Root ${key}`, { key });
    const [alice, bob] = [root.client({ cn: "alice" }), root.client({ cn: "bob" })];
    root.revoke(alice, "keyCompromise");
    root.revoke(bob, "cessationOfOperation");
    const list = x509.readCrl(derOf(root.crl(), "X509 CRL"));
    const issuer = certificateOf(root.certPem);
    t.true(list.verify(issuer));
    t.is(list.number, 1n);
    t.is(list.authorityKeyId, x509.readSubjectKeyIdentifier(issuer));
    t.is(list.issuingDistributionPoint, null);
    // openssl sorts them.
    t.deepEqual(
      Object.fromEntries([...list.entries()].map(({ serialNumber, reason }) => [serialNumber, reason])),
      {
        [certificateOf(alice.certPem).serialNumber]: "keyCompromise",
        [certificateOf(bob.certPem).serialNumber]: "cessationOfOperation",
      },
    );
    t.true(x509.verifySigned(certificateOf(alice.certPem).signed, x509.publicKeyFrom(issuer.publicKeyInfo)));
    t.false(
      list.verify(certificateOf(pki.root(`Root ${key}`, { key }).certPem)),
      "a namesake with another key",
    );
  });
}

test("the kinds of list that openssl makes: with a scope, as a delta, indirect, of version 1, signed with PSS and SHA-1", (t) => {
  const root = pki.root("Root of lists", { key: "rsa2048" });
  const issuer = certificateOf(root.certPem);
  const made = (section: string, ...more: readonly string[]): x509.CertificateList => {
    const stem = pki.newStem();
    const own = dirname(root.credential.cert);
    cpSync(own, stem, { recursive: true });
    const config = readFileSync(`${stem}/ca.cnf`, "utf8").replaceAll(own, stem);
    const bare = config.replace("crl_extensions = crl", "").replace(/crlnumber.*\n/, "");
    const path = `${stem}.cnf`;
    writeFileSync(path, section === "none" ? bare : `${config}${section}`);
    return x509.readCrl(derOf(openssl(["ca", "-config", path, "-gencrl", ...more]), "X509 CRL"));
  };
  root.crl();
  const scoped = made(
    "issuingDistributionPoint = critical,@scope\n[scope]\nfullname = URI:http://a/b.crl\nonlyuser = TRUE\n",
  );
  t.true(scoped.issuingDistributionPoint?.onlyUser);
  t.deepEqual(scoped.issuingDistributionPoint?.names.uri, ["http://a/b.crl"]);
  t.true(scoped.verify(issuer));
  const some = made(
    "issuingDistributionPoint = critical,@scope\n[scope]\nonlysomereasons = keyCompromise\nindirectCRL = TRUE\n",
  );
  t.true(some.issuingDistributionPoint?.onlySomeReasons);
  t.true(some.issuingDistributionPoint?.indirect);
  const delta = made("2.5.29.27 = critical,ASN1:INTEGER:1\n");
  t.is(delta.deltaBase, 1n);
  t.true(delta.verify(issuer));
  const first = made("none");
  t.deepEqual([first.number, first.authorityKeyId], [null, null]);
  t.true(first.verify(issuer));
  t.true(made("", "-sigopt", "rsa_padding_mode:pss").verify(issuer));
  t.false(made("", "-md", "sha1").verify(issuer));
});

test("certificates in a message of openssl's, with a list and without", (t) => {
  const root = pki.root("Root of messages");
  const issuing = root.intermediate("Issuing of messages");
  const alice = issuing.client({ cn: "alice" });
  const expected = [alice.certPem, issuing.certPem, root.certPem].map((pem) => derOf(pem, "CERTIFICATE"));
  const stem = pki.newStem();
  openssl(["crl2pkcs7", "-nocrl", "-certfile", alice.fullChain, "-outform", "DER", "-out", `${stem}.p7`]);
  t.deepEqual(x509.readCertsOnly(readFileSync(`${stem}.p7`)), expected);
  writeFileSync(`${stem}.crl`, root.crl());
  openssl([
    "crl2pkcs7",
    "-in",
    `${stem}.crl`,
    "-certfile",
    alice.fullChain,
    "-outform",
    "DER",
    "-out",
    `${stem}.p7`,
  ]);
  t.deepEqual(x509.readCertsOnly(readFileSync(`${stem}.p7`)), expected);
});

/** An implementation of its own. By its path: node_modules/.bin holds another program named pki. */
const STRONGSWAN = "/usr/bin/pki";
function strongswan(args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(STRONGSWAN, args, { encoding: "utf8", timeout: 60_000 });
  if (status !== 0) throw new Error(`pki ${args.join(" ")}: ${stderr}`);
  return stdout;
}

const withStrongSwan = testWith(STRONGSWAN);
withStrongSwan("requests, certificates and lists of strongSwan's", async (t) => {
  const stem = pki.newStem();
  const key = (name: string, ...kind: readonly string[]): string => {
    const path = `${stem}-${name}.key`;
    writeFileSync(path, strongswan(["--gen", ...kind, "--outform", "pem"]));
    return path;
  };
  for (const [name, kind, algorithm] of [
    ["p256", ["--type", "ecdsa", "--size", "256"], "p256"],
    ["p384", ["--type", "ecdsa", "--size", "384"], "p384"],
    ["ed25519", ["--type", "ed25519"], "ed25519"],
    ["rsa", ["--type", "rsa", "--size", "2048"], "rsa"],
  ] as const) {
    const own = key(name, ...kind);
    const text = strongswan([
      "--req",
      "--type",
      "priv",
      "--in",
      own,
      "--dn",
      "O=Plant 7, CN=alice",
      "--san",
      "laptop-7.plant",
      "--san",
      "10.0.0.1",
      "--password",
      "the code",
      "--outform",
      "pem",
    ]);
    const request = x509.readRequest(derOf(text, "CERTIFICATE REQUEST"));
    t.is(request.keyAlgorithm, algorithm);
    t.is(request.challengePassword, "the code");
    t.is(x509.nameText(request.subject), "CN=alice,O=Plant 7");
    t.deepEqual([request.altNames.dns, request.altNames.ip], [["laptop-7.plant"], ["10.0.0.1"]]);

    const ca = strongswan(["--self", "--in", own, "--dn", "CN=Swan Root", "--ca", "--outform", "pem"]);
    writeFileSync(`${stem}.ca`, ca);
    const issuer = certificateOf(ca);
    t.true(x509.verifySigned(issuer.signed, x509.publicKeyFrom(issuer.publicKeyInfo)));
    const list = x509.readCrl(
      derOf(
        strongswan([
          "--signcrl",
          "--cacert",
          `${stem}.ca`,
          "--cakey",
          own,
          "--reason",
          "superseded",
          "--serial",
          "2a",
          "--outform",
          "pem",
        ]),
        "X509 CRL",
      ),
    );
    t.true(list.verify(issuer), name);
    t.deepEqual(
      [...list.entries()].map(({ serialNumber, reason }) => [serialNumber, reason]),
      [["2a", "superseded"]],
    );
  }
});
