/** PEM (RFC 7468), strictly: DER in base64 between two lines that say what it is. */
import { PeerError } from "../base/index.ts";

export type PemLabel = "CERTIFICATE" | "CERTIFICATE REQUEST" | "X509 CRL" | "PKCS7";

/** Characters and blocks of one text: a bundle of authorities and some words between them; a list alone may be longer. */
const MAX_TEXT_LENGTH = 1_048_576;
const MAX_BLOCKS = 256;

export function toPem(der: Uint8Array, label: PemLabel): string {
  const lines = Buffer.from(der)
    .toString("base64")
    .replaceAll(/.{64}(?!$)/g, "$&\n");
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}

export function certificatePem(der: Uint8Array): string {
  return toPem(der, "CERTIFICATE");
}

/**
 * The DER of every block, in their order, at least one; words between the blocks are passed over. A block of another kind is
 * refused by its name: a private key does not belong into a file of certificates. Throws a PeerError.
 */
export function pemToDer(
  text: string,
  label: PemLabel = "CERTIFICATE",
  maxLength = MAX_TEXT_LENGTH,
): Buffer[] {
  if (text.length > maxLength) {
    throw new PeerError(
      "pem-too-large",
      `the PEM text has ${text.length} characters, ${maxLength} are taken at most`,
    );
  }
  const blocks: Buffer[] = [];
  let inside: string[] | null = null;
  for (const raw of text.split("\n")) {
    const line = raw.trimEnd();
    const [, edge, found] = /^-----(BEGIN|END) ([^-]*)-----$/.exec(line) ?? [];
    if (edge === undefined) {
      inside?.push(line);
      continue;
    }
    if (found !== label) {
      throw new PeerError("pem-label", `the PEM text holds "${found}" where "${label}" is asked for`);
    }
    if ((edge === "BEGIN") === (inside !== null)) {
      throw new PeerError(
        "pem-malformed",
        `a PEM block "${label}" has no ${edge === "BEGIN" ? "end" : "beginning"}`,
      );
    }
    if (inside !== null) blocks.push(decoded(inside.join(""), label));
    if (blocks.length > MAX_BLOCKS) {
      throw new PeerError("pem-too-large", `the PEM text has more than ${MAX_BLOCKS} blocks`);
    }
    inside = edge === "BEGIN" ? [] : null;
  }
  if (inside !== null) throw new PeerError("pem-malformed", `a PEM block "${label}" has no end`);
  if (blocks.length === 0) throw new PeerError("pem-malformed", `the text holds no PEM block "${label}"`);
  return blocks;
}

function decoded(base64: string, label: string): Buffer {
  const bytes = Buffer.from(base64, "base64");
  if (bytes.length === 0 || bytes.toString("base64") !== base64) {
    throw new PeerError("pem-malformed", `a PEM block "${label}" is no base64`);
  }
  return bytes;
}
