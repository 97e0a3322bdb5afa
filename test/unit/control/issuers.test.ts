import { createHash, X509Certificate } from "node:crypto";
import test from "ava";
import { issuingAuthorities } from "../../../src/control/issuers.ts";
import type { OutsideAuthority } from "../../../src/site/index.ts";
import {
  basicConstraints,
  certificatePem,
  generateKey,
  makeCertificate,
  makeName,
  publicKeyInfoOf,
  randomSerial,
} from "../../../src/x509/index.ts";

const PLANT = {
  name: "Plant 7 managed",
  certificate: "PEM",
  fingerprint: "00",
  tenant: null,
  tier: "managed",
};

async function outside(name: string): Promise<OutsideAuthority> {
  const { privateKey, publicKey } = await generateKey("p256");
  const subject = makeName([["CN", name]]);
  const certificate = certificatePem(
    makeCertificate(
      {
        serialNumber: randomSerial(),
        issuer: subject,
        subject,
        notBefore: 0,
        notAfter: 4e12,
        publicKey: publicKeyInfoOf(publicKey),
        extensions: [basicConstraints({ ca: true })],
      },
      privateKey,
    ),
  );
  return {
    name,
    certificate,
    above: [],
    tenant: "acme",
    tier: "contractor",
    revocation: "crl",
    crlUrl: null,
    crlEvery: 3_600_000,
    ocspUrl: null,
    grace: null,
  };
}

test("the plant's authorities and the site document's are one list, with tenant and tier of each", async (t) => {
  const corporate = await outside("corporate");
  const trust = { authorities: [corporate], signIn: null, postureSigners: [] };
  const { raw } = new X509Certificate(corporate.certificate);
  t.deepEqual(issuingAuthorities([PLANT], { trust }), [
    PLANT,
    {
      name: "corporate",
      certificate: corporate.certificate,
      fingerprint: createHash("sha256").update(raw).digest("hex"),
      tenant: "acme",
      tier: "contractor",
    },
  ]);
});

test("an outside authority that bears the name of one of the plant's is nobody", async (t) => {
  const trust = { authorities: [await outside(PLANT.name)], signIn: null, postureSigners: [] };
  t.deepEqual(issuingAuthorities([PLANT], { trust }), [PLANT]);
});
