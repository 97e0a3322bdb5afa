import { createHash } from "node:crypto";
import { UsageError } from "../base/index.ts";
import { der, ECDSA_HASHES, requestInfo, type KeyAlgorithm } from "../x509/index.ts";
import type { TokenWish } from "./enroll-options.ts";
import type { LaptopKey } from "./laptop-key.ts";
import { readPin } from "./pin.ts";
import type { TokenKey } from "./profile.ts";
import { randomId } from "./store.ts";
import type { LaptopSurroundings } from "./surroundings.ts";
import {
  deleteTokenKey,
  makeTokenKey,
  tokenLabels,
  tokenPublicKey,
  tokenSignature,
  type TokenUse,
} from "./token-tool.ts";

/** What tokens make everywhere, by pkcs11-tool's names. */
const KINDS: Readonly<Partial<Record<KeyAlgorithm, { readonly kind: string; readonly hash: string }>>> = {
  p256: { kind: "EC:prime256v1", hash: "sha256" },
  p384: { kind: "EC:secp384r1", hash: "sha384" },
};

/** A new key, made in the token. Rejects with an error for the reader. */
export async function newTokenKey(
  wish: TokenWish,
  algorithm: KeyAlgorithm,
  around: LaptopSurroundings,
): Promise<LaptopKey> {
  const { kind } = kindOf(algorithm);
  const { module, pinFile } = wish;
  const key = { module, label: await labelOf(wish, around.environment), id: randomId(), pinFile };
  const use = await tokenUse(key, around);
  await makeTokenKey(use, kind);
  return openTokenKey(use, algorithm);
}

/** Asks for the PIN, where nothing else says it. */
export async function tokenUse(key: TokenKey, around: LaptopSurroundings): Promise<TokenUse> {
  return { key, pin: await readPin(key.pinFile, key.label, around), environment: around.environment };
}

/** The key that is in the token already. */
export async function openTokenKey(use: TokenUse, algorithm: KeyAlgorithm): Promise<LaptopKey> {
  const publicKeyInfo = await tokenPublicKey(use);
  const { hash } = kindOf(algorithm);
  return {
    publicKeyInfo,
    token: use.key,
    pem: "",
    request: async ({ subject, altNames }) => {
      const info = requestInfo({ subject, altNames }, publicKeyInfo);
      const signature = await tokenSignature(use, createHash(hash).update(info).digest());
      return der.sequence(info, der.sequence(der.oid(ecdsaWith(hash))), der.bitString(signature));
    },
    forget: () => deleteTokenKey(use),
  };
}

async function labelOf({ label, module }: TokenWish, environment: NodeJS.ProcessEnv): Promise<string> {
  const labels = await tokenLabels(module, environment);
  if (label !== null && labels.includes(label)) return label;
  const [only] = labels;
  if (label === null && only !== undefined && labels.length === 1) return only;
  throw new UsageError(
    "token-label",
    label === null
      ? `${module} shows ${labels.length} tokens, and one is needed`
      : `${module} shows no token ${JSON.stringify(label)}`,
    labels.length === 0
      ? "Plug it in, or initialize it."
      : `There are: ${labels.join(", ")}. Say which with --token.`,
  );
}

function kindOf(algorithm: KeyAlgorithm): { readonly kind: string; readonly hash: string } {
  const known = KINDS[algorithm];
  if (known !== undefined) return known;
  throw new UsageError(
    "token-algorithm",
    `tokens make no ${algorithm} keys; --pkcs11 takes --algorithm p256 or p384`,
  );
}

function ecdsaWith(hash: string): string {
  for (const [oid, name] of ECDSA_HASHES) if (name === hash) return oid;
  return "";
}
