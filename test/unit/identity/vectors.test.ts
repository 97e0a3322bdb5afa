import test from "ava";
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { z } from "zod";
import { isRefusal, readIdentity } from "../../../src/identity/index.ts";

const nullable = z.string().nullable();
const schema = z.object({
  about: z.string(),
  vectors: z.array(
    z.object({
      name: z.string(),
      now: z.iso.datetime(),
      pem: z.string(),
      expected: z.union([
        z.strictObject({ code: z.string() }),
        z.strictObject({
          user: z.string(),
          device: nullable,
          groups: z.array(z.string()),
          role: nullable,
          tier: nullable,
          issuer: z.string(),
        }),
      ]),
    }),
  ),
});

const file = new URL("../../vectors/identity/certificates.json", import.meta.url);
const { vectors } = schema.parse(JSON.parse(readFileSync(file, "utf8")));

for (const { name, now, pem, expected } of vectors) {
  test(name, (t) => {
    const x509 = new X509Certificate(pem);
    const outcome = readIdentity(
      { leaf: x509.raw, authorized: true, authorizationError: null },
      Date.parse(now),
    );
    if (isRefusal(outcome)) {
      t.deepEqual({ code: outcome.code }, expected);
      t.is(outcome.presented?.serialNumber, x509.serialNumber.toLowerCase());
      return;
    }
    const { user, device, groups, role, tier, issuer } = outcome;
    t.deepEqual({ user, device, groups, role, tier, issuer }, expected);
    // What Node reads of it in its own way.
    t.is(outcome.serialNumber, x509.serialNumber.toLowerCase());
    t.is(outcome.fingerprint, x509.fingerprint256.replaceAll(":", "").toLowerCase());
    t.is(outcome.notBefore, x509.validFromDate.getTime());
    t.is(outcome.notAfter, x509.validToDate.getTime());
  });
}
