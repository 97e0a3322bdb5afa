import { createHash, X509Certificate } from "node:crypto";
import test from "ava";
import { fileVerdict, issuingAuthorities } from "../../../src/control/issuers.ts";
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
  outside: false,
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
  t.deepEqual(issuingAuthorities([PLANT], { trust }, null), [
    PLANT,
    {
      name: "corporate",
      certificate: corporate.certificate,
      fingerprint: createHash("sha256").update(raw).digest("hex"),
      tenant: "acme",
      tier: "contractor",
      outside: true,
    },
  ]);
});

test("an outside authority that bears the name of one of the plant's is nobody", async (t) => {
  const trust = { authorities: [await outside(PLANT.name)], signIn: null, postureSigners: [] };
  t.deepEqual(issuingAuthorities([PLANT], { trust }, null), [PLANT]);
});

test("making an authority locks nobody out whom the settings' file lets in", async (t) => {
  const [first, second] = [await outside("first"), await outside("second")];
  const file = first.certificate + second.certificate;
  const nothing = { authorities: [], signIn: null, postureSigners: [] };
  t.deepEqual(issuingAuthorities([], { trust: nothing }, file), [], "the file alone says who is let in");

  const listed = issuingAuthorities([PLANT], { trust: nothing }, file);
  t.deepEqual(
    listed.map(({ certificate }) => certificate),
    [PLANT.certificate, first.certificate, second.certificate],
  );
  for (const { name } of listed.slice(1))
    t.deepEqual(fileVerdict({ authority: name }), { refusal: null, grace: null });
  t.is(fileVerdict({ authority: PLANT.name }), null);
  t.is(fileVerdict({ authority: null }), null);
});

test("what the site document says of an authority counts, and not that it is in the file too", async (t) => {
  const [corporate, root] = [await outside("corporate"), await outside("corporate root")];
  const trust = {
    authorities: [{ ...corporate, above: [root.certificate] }],
    signIn: null,
    postureSigners: [],
  };
  const listed = issuingAuthorities([], { trust }, corporate.certificate + root.certificate);
  t.deepEqual(
    listed.map(({ name, tenant }) => [name, tenant]),
    [["corporate", "acme"]],
  );
});
