/** A laptop of alice's and a management system, for tests of reports: a moment, keys, and both sides of a connection. */
import { createHash, generateKeyPairSync } from "node:crypto";
import { readPostureReport, type PostureSide } from "../../../src/enrolment/posture-report.ts";
import type { PostureReport } from "../../../src/link/index.ts";
import { GOOD, jws, laptop, laptopReport, POSTURE_TYPE } from "../../support/posture.ts";

export const NOW = Date.UTC(2026, 5, 1, 12);
export const AT = NOW / 1_000;

export const p256 = generateKeyPairSync("ec", { namedCurve: "P-256" });
export const alice = laptop(p256, "laptop-7", NOW);
export const mdm = generateKeyPairSync("ed25519");
export const SPKI = { type: "spki", format: "pem" } as const;
const SIGNERS = [{ name: "mdm-1", key: mdm.publicKey.export(SPKI).toString() }];

export const DEVICE = { device: "laptop-7", authority: null, tenant: null };
/** The plant's own, of no tenant and of one; others, without a tenant and with one of the same name. */
const ISSUERS: PostureSide["issuers"] = [
  { name: "managed 3", tenant: null, outside: false },
  { name: "contractor acme 4", tenant: "acme", outside: false },
  { name: "corporate", tenant: null, outside: true },
  { name: "vendor-x", tenant: "acme", outside: true },
];

function side(more: Partial<PostureSide> = {}): PostureSide {
  const { identity, certificate } = alice;
  return { identity, certificate, device: DEVICE, signers: SIGNERS, issuers: ISSUERS, now: NOW, ...more };
}

export function read(text: string, more: Partial<PostureSide> = {}): Promise<PostureReport> {
  return readPostureReport(Buffer.from(text), side(more));
}

export const good = (): string => laptopReport(p256.privateKey, alice.certificate, "laptop-7", AT);
const thumbprint = createHash("sha256").update(alice.certificate).digest("base64url");
export const HEADER = { typ: POSTURE_TYPE, alg: "ES256", "x5t#S256": thumbprint };
export const PAYLOAD = { device: "laptop-7", iat: AT, facts: GOOD };

export const withHeader = (header: object) => (): string =>
  jws(p256.privateKey, { header: { ...HEADER, ...header }, payload: PAYLOAD });
export const withPayload = (payload: object) => (): string =>
  jws(p256.privateKey, { header: HEADER, payload: { ...PAYLOAD, ...payload } });
/** By the management system. */
export const managed = (payload: object) => (): string =>
  jws(mdm.privateKey, {
    header: { typ: POSTURE_TYPE, alg: "EdDSA", kid: "mdm-1" },
    payload: { ...PAYLOAD, ...payload },
  });
