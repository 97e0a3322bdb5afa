import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { messageOf, UsageError } from "../base/index.ts";
import { generateKey, makeRequest, type AltName, type KeyAlgorithm } from "../x509/index.ts";
import type { TokenKey } from "./profile.ts";

/** What a request asks to be written on the certificate. */
export interface RequestNames {
  /** DER of the Name. */
  readonly subject: Uint8Array;
  readonly altNames: readonly AltName[];
}

/** A private key of this laptop's, wherever it lies. */
export interface LaptopKey {
  /** DER of SubjectPublicKeyInfo. */
  readonly publicKeyInfo: Buffer;
  /** DER of a PKCS#10 request, signed with the key. */
  request(names: RequestNames): Promise<Buffer>;
  /** PEM (PKCS#8) to be kept; "" where a token holds the key. */
  readonly pem: string;
  readonly token: TokenKey | null;
  /** For a key that no certificate will ever belong to. */
  forget(): Promise<void>;
}

/** A new key in memory. Throws a UsageError where this Node cannot make one. */
export async function newFileKey(algorithm: KeyAlgorithm): Promise<LaptopKey> {
  let privateKey: KeyObject;
  try {
    ({ privateKey } = await generateKey(algorithm));
  } catch (error) {
    throw new UsageError(
      "algorithm",
      `this Node (${process.version}) makes no ${algorithm} keys (${messageOf(error)})`,
      "Take a newer Node, or another --algorithm.",
    );
  }
  return fileKey(privateKey);
}

export function readFileKey(pem: string): LaptopKey {
  return fileKey(createPrivateKey(pem));
}

function fileKey(privateKey: KeyObject): LaptopKey {
  const publicKey = createPublicKey(privateKey);
  return {
    publicKeyInfo: publicKey.export({ type: "spki", format: "der" }),
    request: ({ subject, altNames }) =>
      Promise.resolve(makeRequest({ subject, altNames }, { privateKey, publicKey })),
    pem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    token: null,
    forget: () => Promise.resolve(),
  };
}
