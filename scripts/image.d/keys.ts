/** Keys that sign updates: real ones are given; without them a development authority is made, once, below build/. */
import { chmodSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { run } from "./tools.ts";

export interface SigningKeys {
  /** PEM file: whom the box trusts. */
  readonly keyring: string;
  /** PEM file. */
  readonly certificate: string;
  /** PEM file or PKCS#11 URI. */
  readonly key: string;
}

/** Ten years: a development box that stands in a drawer is to take its update. */
const DAYS = "3650";

export async function developmentKeys(directory: string): Promise<SigningKeys> {
  const at = (name: string): string => join(directory, name);
  const keys = { keyring: at("authority.pem"), certificate: at("signer.pem"), key: at("signer.key") };
  if (Object.values(keys).every((file) => existsSync(file))) return keys;
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  chmodSync(directory, 0o700);
  const ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-sha256"];
  await run("openssl", [
    "req",
    "-x509",
    ...ec,
    "-days",
    DAYS,
    "-subj",
    "/CN=niac development authority for updates",
    "-addext",
    "basicConstraints=critical,CA:TRUE",
    "-addext",
    "keyUsage=critical,keyCertSign,cRLSign",
    "-keyout",
    at("authority.key"),
    "-out",
    keys.keyring,
  ]);
  await run("openssl", [
    "req",
    "-x509",
    ...ec,
    "-days",
    DAYS,
    "-subj",
    "/CN=niac development signer of updates",
    "-CA",
    keys.keyring,
    "-CAkey",
    at("authority.key"),
    "-addext",
    "basicConstraints=critical,CA:FALSE",
    "-addext",
    "keyUsage=critical,digitalSignature",
    "-addext",
    "extendedKeyUsage=codeSigning",
    "-keyout",
    keys.key,
    "-out",
    keys.certificate,
  ]);
  return keys;
}
