/** What `openssl ca` and `openssl ocsp` publish, believed and not. One test after the other: while openssl signs, nobody answers. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { pino } from "pino";
import { AuditLog, createRecords, openDatabase } from "../../../src/audit/index.ts";
import { createOutside } from "../../../src/revocation/crl-store.ts";
import { OutsideAuthorities } from "../../../src/revocation/outside.ts";
import type { OutsideAuthority } from "../../../src/site/index.ts";
import { OutsideCa, serialOf, webServer } from "../../support/outside-ca.ts";
import { Pki, type Authority, type Credential } from "../../support/pki.ts";

const NAME = "partner";
const HOUR = 3_600_000;

class TestClock {
  ahead = 0;
  now(): number {
    return Date.now() + this.ahead;
  }
  monotonic(): number {
    return performance.now() + this.ahead;
  }
}

interface Bed {
  readonly pki: Pki;
  readonly clock: TestClock;
  readonly outside: OutsideAuthorities;
  apply(authority: Authority, more: Partial<OutsideAuthority>): void;
  verdict(credential: Credential): Promise<string>;
  reason(credential: Credential): Promise<string>;
}

function openBed(t: ExecutionContext): Bed {
  const pki = Pki.create();
  const dir = mkdtempSync(join(tmpdir(), "niac-outside-"));
  const clock = new TestClock();
  const db = openDatabase(join(dir, "niac.db"), [createRecords, createOutside]);
  const audit = new AuditLog(db, "box", { clock });
  const outside = new OutsideAuthorities({
    db,
    clock,
    log: pino({ level: "silent" }),
    append: (drafts, urgency) => audit.append(drafts, urgency),
    floor: () => 0,
    changed: () => {},
  });
  t.teardown(async () => {
    await outside.stop();
    await audit.close();
    db.close();
    rmSync(dir, { recursive: true, force: true });
    pki.remove();
  });
  const check = (credential: Credential) =>
    outside.check({ authority: NAME, serialNumber: serialOf(credential) }, []);
  return {
    pki,
    clock,
    outside,
    apply(authority, more) {
      const { certPem, caPem } = authority.credential;
      outside.apply([
        {
          name: NAME,
          certificate: certPem,
          above: certPem === caPem ? [] : [caPem],
          tenant: null,
          tier: null,
          revocation: "crl",
          crlUrl: null,
          crlEvery: HOUR,
          ocspUrl: null,
          grace: null,
          ...more,
        },
      ]);
    },
    verdict: async (credential) => (await check(credential))?.refusal?.code ?? "good",
    reason: async (credential) => (await check(credential))?.refusal?.reason ?? "good",
  };
}

test.serial(
  "lists of P-256, P-384, Ed25519 and RSA authorities are fetched over HTTP and believed",
  async (t) => {
    for (const key of ["p256", "p384", "ed25519", "rsa2048"] as const) {
      const bed = openBed(t);
      const ca = new OutsideCa(bed.pki.root("Root").intermediate("Partner CA", { key }));
      const [alice, bob] = [ca.authority.client({ cn: "alice" }), ca.authority.client({ cn: "bob" })];
      ca.revoke(bob, "cessationOfOperation");
      const list = ca.crl();
      const server = await webServer((_, response) => response.end(list));
      t.teardown(() => server.stop());
      bed.apply(ca.authority, { crlUrl: `${server.url}/partner.crl` });
      await bed.outside.fetch(NAME);
      t.is(await bed.verdict(alice), "good", key);
      t.regex(
        await bed.reason(bob),
        /was revoked on .* \(cessationOfOperation\), says the list of partner/,
        key,
      );
    }
  },
);

test.serial("a list without a number, of version 1 too, is told from an older one by its date", async (t) => {
  const bed = openBed(t);
  const ca = new OutsideCa(bed.pki.root("Partner CA"));
  const bob = ca.authority.client({ cn: "bob" });
  bed.apply(ca.authority, {});
  const now = Date.now();
  const older = ca.crl({ number: null, lastUpdate: new Date(now - 2 * HOUR) });
  ca.revoke(bob);
  await bed.outside.importCrl(ca.crl({ number: null, lastUpdate: new Date(now - HOUR) }), "alice");
  t.is(await bed.verdict(bob), "revoked");
  await t.throwsAsync(bed.outside.importCrl(older, "alice"), { code: "crl-older" });
  const aki = ["authorityKeyIdentifier = keyid:always"];
  await bed.outside.importCrl(ca.crl({ number: null, extensions: aki }), "alice");
  t.is(await bed.verdict(bob), "revoked");
});

test.serial("a list for some certificates only is refused with what it is for", async (t) => {
  const bed = openBed(t);
  const ca = new OutsideCa(bed.pki.root("Partner CA"));
  bed.apply(ca.authority, {});
  let number = 1;
  const withScope = (...lines: string[]): Buffer => {
    number += 1;
    return ca.crl({
      number,
      extensions: ["issuingDistributionPoint = critical,@scope", "[scope]", ...lines],
    });
  };
  const refused: [string, RegExp][] = [
    ["onlyCA = TRUE", /authorities' certificates only/],
    ["onlyAA = TRUE", /attribute certificates only/],
    ["onlysomereasons = keyCompromise", /some reasons of revocation only/],
    ["indirectCRL = TRUE", /certificates of several authorities/],
  ];
  for (const [line, message] of refused) {
    await t.throwsAsync(bed.outside.importCrl(withScope(line), "alice"), { code: "crl-scope", message });
  }
  await bed.outside.importCrl(
    withScope("onlyuser = TRUE", "fullname = URI:http://pki.partner.example/a.crl"),
    "alice",
  );
  const critical = ca.crl({ number: 90, extensions: ["1.2.3.4 = critical,DER:0500"] });
  await t.throwsAsync(bed.outside.importCrl(critical, "alice"), {
    code: "crl-critical-extension",
    message: /1\.2\.3\.4/,
  });
});

test.serial("openssl's delta is laid over its base", async (t) => {
  const bed = openBed(t);
  const ca = new OutsideCa(bed.pki.root("Partner CA"));
  const bob = ca.authority.client({ cn: "bob" });
  bed.apply(ca.authority, {});
  await bed.outside.importCrl(ca.crl({ number: 5 }), "alice");
  ca.revoke(bob);
  const delta = (number: number, base: number): Buffer =>
    ca.crl({ number, extensions: [`2.5.29.27 = critical,ASN1:INTEGER:${base}`] });
  await t.throwsAsync(bed.outside.importCrl(delta(6, 4), "alice"), { code: "crl-delta-base" });
  t.is(await bed.verdict(bob), "good");
  await bed.outside.importCrl(delta(6, 5), "alice");
  t.is(await bed.verdict(bob), "revoked");
});

test.serial("a list signed with SHA-1 is refused", async (t) => {
  const bed = openBed(t);
  const ca = new OutsideCa(bed.pki.root("Partner CA", { key: "rsa2048" }));
  bed.apply(ca.authority, {});
  await t.throwsAsync(bed.outside.importCrl(ca.crl({ digest: "sha1" }), "alice"), { code: "crl-signature" });
});

test.serial("the authority's own responder says good, revoked and unknown", async (t) => {
  const bed = openBed(t);
  const ca = new OutsideCa(bed.pki.root("Root").intermediate("Partner CA"));
  const [alice, bob] = [ca.authority.client({ cn: "alice" }), ca.authority.client({ cn: "bob" })];
  const stranger = bed.pki.root("Stranger").client({ cn: "mallory" });
  ca.revoke(bob, "keyCompromise");
  // Each answer is good for five minutes.
  const responder = await ca.responder(undefined, ["-nmin", "5"]);
  t.teardown(() => responder.stop());
  bed.apply(ca.authority, { revocation: "ocsp", ocspUrl: responder.url });
  t.is(await bed.verdict(alice), "good");
  t.regex(await bed.reason(bob), /\(keyCompromise\), says the OCSP responder of partner/);
  t.regex(await bed.reason(stranger), /does not know the serial number/);
  await responder.stop();
  t.is(await bed.verdict(alice), "good", "kept");
  bed.clock.ahead += HOUR;
  t.is(await bed.verdict(alice), "revocation-unknown");
  t.is(await bed.verdict(bob), "revoked");
});

test.serial(
  "a delegated responder is believed, and none that the authority did not certify for it",
  async (t) => {
    const bed = openBed(t);
    const root = bed.pki.root("Root");
    const ca = new OutsideCa(root.intermediate("Partner CA"));
    const alice = ca.authority.client({ cn: "alice" });
    const noCheck = { eku: "OCSPSigning", rawExtensions: ["noCheck = ignored"] };
    const past = { notBefore: new Date(Date.now() - 2 * HOUR), notAfter: new Date(Date.now() - HOUR) };
    const signers: [Credential, RegExp][] = [
      [ca.authority.client({ cn: "responder", ...noCheck }), /^good$/],
      [ca.authority.client({ cn: "rsa responder", key: "rsa2048", ...noCheck }), /^good$/],
      [root.client({ cn: "above", ...noCheck }), /CN=above was not certified by CN=Partner CA/],
      [bed.pki.root("Partner CA").client({ cn: "namesake", ...noCheck }), /CN=namesake was not certified/],
      [
        ca.authority.client({ cn: "laptop", rawExtensions: ["noCheck = ignored"] }),
        /not certified for signing OCSP/,
      ],
      [ca.authority.client({ cn: "expired", ...noCheck, ...past }), /has expired/],
      [
        ca.authority.client({ cn: "checked", eku: "OCSPSigning" }),
        /responder's own certificate was revoked is not known/,
      ],
      [bed.pki.selfSigned({ cn: "nobody", ...noCheck }), /CN=nobody was not certified/],
    ];
    for (const [signer, words] of signers) {
      const responder = await ca.responder(signer, ["-nmin", "5"]);
      t.teardown(() => responder.stop());
      // Each time one that remembers no answer.
      const fresh = openBed(t);
      fresh.apply(ca.authority, { revocation: "ocsp", ocspUrl: responder.url });
      t.regex(await fresh.reason(alice), words);
      await responder.stop();
    }
  },
);

test.serial("a responder whose certificate the authority's list revokes is not believed", async (t) => {
  const bed = openBed(t);
  const ca = new OutsideCa(bed.pki.root("Partner CA"));
  const alice = ca.authority.client({ cn: "alice" });
  const signer = ca.authority.client({ cn: "responder", eku: "OCSPSigning" });
  const responder = await ca.responder(signer);
  t.teardown(() => responder.stop());
  bed.apply(ca.authority, { revocation: "ocsp", ocspUrl: responder.url });
  await bed.outside.importCrl(ca.crl({ number: 1 }), "alice");
  t.is(await bed.verdict(alice), "good");
  ca.revoke(signer);
  await bed.outside.importCrl(ca.crl({ number: 2, lastUpdate: new Date(Date.now() - 30_000) }), "alice");
  bed.clock.ahead += 60_000;
  // The list speaks in its place, and says what is wrong with the responder.
  t.is(await bed.verdict(alice), "good");
  t.regex(bed.outside.views()[0]?.trouble ?? "", /the responder's own certificate was revoked/);
});
