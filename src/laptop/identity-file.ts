import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { messageOf, systemCode, UsageError } from "../base/index.ts";
import { pemToDer } from "../x509/index.ts";
import type { Life } from "./schedule.ts";

/** identity.pem taken apart. */
export interface IdentityFile extends Life {
  /** The whole text: certificate, chain and, where no token holds it, the key. */
  readonly pem: string;
  /** The chain alone, PEM. */
  readonly chain: string;
  /** The key alone, PEM; null where a token holds it. */
  readonly key: string | null;
  /** DER of the certificate. */
  readonly certificate: Buffer;
}

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[^-]*-----END \1-----\n?/g;

/** Throws a UsageError that names the file; it never shows what the file holds. */
export function readIdentityFile(path: string): IdentityFile {
  let pem: string;
  try {
    pem = readFileSync(path, "utf8");
  } catch (error) {
    throw new UsageError("file", `${path} cannot be read (${systemCode(error)})`);
  }
  const blocks = [...pem.matchAll(BLOCK)];
  const chain = blocks.filter(([, label]) => label === "CERTIFICATE").map(([text]) => text);
  const keys = blocks.filter(([, label]) => label?.endsWith("PRIVATE KEY")).map(([text]) => text);
  try {
    const [certificate] = pemToDer(chain.join(""));
    if (certificate === undefined) throw new UsageError("no-certificate", "it holds no certificate");
    const { validFrom, validTo } = new X509Certificate(certificate);
    const key = keys[0] ?? null;
    if (key !== null) createPrivateKey(key);
    const life = { notBefore: Date.parse(validFrom), notAfter: Date.parse(validTo) };
    return { pem, chain: chain.join(""), key, certificate, ...life };
  } catch (error) {
    throw new UsageError(
      "identity-file",
      `${path} holds no certificate with its key (${messageOf(error)})`,
      "Enrol anew: niac enroll ... --again",
    );
  }
}
