import { createPrivateKey, X509Certificate, type KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import { createSecureContext, type SecureContext } from "node:tls";
import { messageOf, systemCode, UsageError } from "../base/index.ts";
import type { Place } from "./options.ts";
import type { TokenKey } from "./profile.ts";

/** The laptop's certificate with its key inside OpenSSL or a token, and what may be shown of it. */
export type Credentials = { readonly own: OwnCertificate } & (
  | { readonly context: SecureContext; readonly token: null }
  | { readonly context: null; readonly token: TokenAccess }
);

/** A key in a token, ready for use. */
export interface TokenAccess {
  readonly key: TokenKey;
  /** Descriptor of a file with the PIN. */
  readonly pin: number;
  /** For the program that is started. */
  readonly environment: NodeJS.ProcessEnv;
}

export interface OwnCertificate {
  /** The subject's common name, for messages. */
  readonly subject: string;
  readonly serialNumber: string;
  /** Milliseconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly file: string;
  /** The authorities the appliance's certificate is checked against. */
  readonly caFile: string;
}

/** Reads the three files. Throws a UsageError that says which of them is wrong and how; it never shows what the key file holds. */
export function loadCredentials({ certificate, key, ca }: Place["files"]): Credentials {
  const cert = read(certificate, "--certificate");
  const authorities = read(ca, "--ca");
  const leaf = readCertificate(cert, certificate, "--certificate");
  readCertificate(authorities, ca, "--ca");
  const privateKey = readKey(key);
  if (!leaf.checkPrivateKey(privateKey)) {
    throw new UsageError(
      "key-mismatch",
      `the key in ${key} is not the key of the certificate in ${certificate} (${commonName(leaf)}, serial number ${leaf.serialNumber})`,
      "Give --key the file that was made together with this certificate.",
    );
  }
  const context = createSecureContext({
    cert,
    key: privateKey.export({ type: "pkcs8", format: "pem" }),
    ca: authorities,
    minVersion: "TLSv1.3",
  });
  const own = ownCertificate(leaf, certificate, ca);
  return { context, token: null, own };
}

/** The same where a token holds the key: nothing is known of the key but where it is. */
export function loadTokenCredentials({ certificate, ca }: Place["files"], token: TokenAccess): Credentials {
  const leaf = readCertificate(read(certificate, "--certificate"), certificate, "--certificate");
  readCertificate(read(ca, "--ca"), ca, "--ca");
  return { context: null, token, own: ownCertificate(leaf, certificate, ca) };
}

function ownCertificate(leaf: X509Certificate, file: string, caFile: string): OwnCertificate {
  return {
    subject: commonName(leaf),
    serialNumber: leaf.serialNumber,
    notBefore: Date.parse(leaf.validFrom),
    notAfter: Date.parse(leaf.validTo),
    file,
    caFile,
  };
}

/**
 * Credentials that follow a renewal: read anew each time, so that new connections use the new certificate. Files that cannot be
 * read just then leave the last ones in use. Throws where they never could.
 */
export function following(load: () => Credentials): () => Credentials {
  let last = load();
  return () => {
    try {
      last = load();
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
    }
    return last;
  };
}

/** The common name of a certificate's subject, or its whole subject where there is none; made printable. */
export function commonName(certificate: X509Certificate): string {
  const name = /^CN=(.+)$/m.exec(certificate.subject)?.[1] ?? certificate.subject.replaceAll("\n", ", ");
  return shown(name) || "no name";
}

/** What others wrote, so that it cannot move the cursor or fill the screen. */
export function shown(text: string): string {
  const printable = text.replaceAll(/\p{C}/gu, "?");
  return printable.length > MAX_SHOWN ? `${printable.slice(0, MAX_SHOWN)}...` : printable;
}

const MAX_SHOWN = 200;

function read(path: string, option: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new UsageError("file", `${option}: ${path} cannot be read (${systemCode(error)})`);
  }
}

function readCertificate(pem: string, path: string, option: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw new UsageError(
      "certificate-file",
      `${option}: ${path} holds no certificate in PEM form (${messageOf(error)})`,
    );
  }
}

function readKey(path: string): KeyObject {
  const pem = read(path, "--key");
  try {
    return createPrivateKey(pem);
  } catch {
    const locked = pem.includes("ENCRYPTED");
    throw new UsageError(
      "key-file",
      locked
        ? `--key: the key in ${path} is locked with a passphrase`
        : `--key: ${path} holds no private key in PEM form`,
      locked
        ? "Unlock it into a file that only you can read: openssl pkey -in locked.pem -out key.pem"
        : undefined,
    );
  }
}
