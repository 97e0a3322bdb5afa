/** Posture reports as a stranger makes them: by Node's own signatures, and with whatever mistakes a test wants. */
import { createHash, generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import type { Identity } from "../../src/identity/index.ts";
import * as x509 from "../../src/x509/index.ts";

export const POSTURE_TYPE = "niac-posture+jwt";

export interface Making {
  readonly header?: Readonly<Record<string, unknown>>;
  readonly payload?: unknown;
  /** Bytes in place of the payload's JSON. */
  readonly bytes?: Uint8Array;
}

/** Good facts. */
export const GOOD = {
  diskEncryption: true,
  os: { name: "linux", version: "6.12.30" },
  edr: true,
} as const;

/** `header` and `payload` stand as given, undefined left out. */
export function jws(key: KeyObject, { header = {}, payload = {}, bytes }: Making): string {
  const head = encode(Buffer.from(JSON.stringify(header)));
  const body = encode(bytes ?? Buffer.from(JSON.stringify(payload)));
  const input = `${head}.${body}`;
  return `${input}.${encode(signatureOf(key, Buffer.from(input), String(header["alg"])))}`;
}

/** A report of a laptop, signed by its certificate's key. `at`: seconds since the epoch. */
export function laptopReport(
  key: KeyObject,
  certificate: Uint8Array,
  device: string,
  at: number,
  facts: unknown = GOOD,
): string {
  const thumbprint = createHash("sha256").update(certificate).digest("base64url");
  return jws(key, {
    header: { typ: POSTURE_TYPE, alg: algorithmOf(key), "x5t#S256": thumbprint },
    payload: { device, iat: at, facts },
  });
}

/** A report by a management system. */
export function managedReport(
  key: KeyObject,
  kid: string,
  device: string,
  at: number,
  facts: unknown = GOOD,
): string {
  return jws(key, {
    header: { typ: POSTURE_TYPE, alg: algorithmOf(key), kid },
    payload: { device, iat: at, facts },
  });
}

export function algorithmOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): string {
  if (asymmetricKeyType === "ec") return asymmetricKeyDetails?.namedCurve === "secp384r1" ? "ES384" : "ES256";
  if (asymmetricKeyType === "ed25519") return "EdDSA";
  return asymmetricKeyType === "rsa" ? "RS256" : "ML-DSA-65";
}

/** RFC 7518, section 3: fixed lengths for ECDSA, a salt as long as the hash for PSS. */
function signatureOf(key: KeyObject, input: Buffer, algorithm: string): Buffer {
  if (algorithm === "none") return Buffer.alloc(0);
  const hash = /^(?:ES|RS|PS)(\d+)$/.exec(algorithm)?.[1];
  const padding = algorithm.startsWith("PS") ? { padding: 6, saltLength: 32 } : {};
  return sign(hash === undefined ? null : `sha${hash}`, input, {
    key,
    dsaEncoding: "ieee-p1363",
    ...padding,
  });
}

function encode(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64url");
}

export interface Laptop {
  readonly key: KeyObject;
  readonly certificate: Buffer;
  readonly identity: Identity;
}

/** A laptop whose certificate says `device`. */
export function laptop(
  keys: { publicKey: KeyObject; privateKey: KeyObject },
  device: string | null = "laptop-7",
  now = Date.now(),
): Laptop {
  const issuer = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const certificate = x509.makeCertificate(
    {
      serialNumber: Buffer.of(7),
      issuer: x509.makeName([["CN", "Test Issuing"]]),
      subject: x509.makeName([["CN", "alice"]]),
      notBefore: now - 1_000,
      notAfter: now + 1_000,
      publicKey: x509.publicKeyInfoOf(keys.publicKey),
      extensions: [x509.basicConstraints({ ca: false })],
    },
    issuer.privateKey,
  );
  const identity: Identity = {
    kind: "certificate",
    user: "alice",
    device,
    groups: [],
    role: null,
    tier: "managed",
    tenant: null,
    authority: "managed",
    issuer: "CN=Test Issuing",
    serialNumber: "07",
    fingerprint: createHash("sha256").update(certificate).digest("hex"),
    notBefore: now - 1_000,
    notAfter: now + 1_000,
  };
  return { key: keys.privateKey, certificate, identity };
}
