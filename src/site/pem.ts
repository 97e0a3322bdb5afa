/** Certificates and public keys as a site document holds them: PEM texts, read by OpenSSL and written canonically. */
import { createPublicKey, X509Certificate, type KeyObject } from "node:crypto";
import { mistake, shown, type Reading } from "./scalar.ts";

/** Longest PEM text of a document's field, and certificates in one. */
const MAX_PEM = 64 * 1024;
const MAX_CHAIN = 8;
const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[A-Za-z0-9+/=\s]+-----END \1-----/g;
const MIN_RSA_BITS = 2048;

const CERTIFICATE = "a certificate in PEM: -----BEGIN CERTIFICATE----- and what follows";
const KEY = "a public key in PEM: -----BEGIN PUBLIC KEY----- and what follows";

/** An authority's own certificate, and those above it up to a root; each PEM. */
export interface AuthorityChain {
  readonly certificate: string;
  readonly above: readonly string[];
}

/** The blocks' labels and texts, where nothing else stands there. Nothing of a private key comes out of here, not even in a message. */
function blocksOf(
  input: unknown,
  expected: string,
): Reading<readonly { readonly label: string; readonly pem: string }[]> {
  if (typeof input !== "string") return mistake(`${shown(input)} stands where PEM belongs`, expected);
  if (input.length > MAX_PEM)
    return mistake(`this PEM has ${input.length} characters, at most ${MAX_PEM}`, expected);
  if (input.includes("PRIVATE KEY")) {
    return mistake(
      "this is a private key, which belongs in no site document: take it out, and make a new key",
      expected,
    );
  }
  const found = [...input.matchAll(BLOCK)].map(([pem, label = ""]) => ({ label, pem }));
  if (found.length === 0 || input.replaceAll(BLOCK, "").trim() !== "") {
    return mistake("this is no PEM, or has something beside it", expected);
  }
  return { value: found };
}

/** One or more certificates, in the order in which they stand. */
export function readCertificates(input: unknown): Reading<readonly X509Certificate[]> {
  const blocks = blocksOf(input, CERTIFICATE);
  if ("mistake" in blocks) return blocks;
  if (blocks.value.length > MAX_CHAIN)
    return mistake(`${blocks.value.length} certificates stand here, at most ${MAX_CHAIN}`, CERTIFICATE);
  const certificates: X509Certificate[] = [];
  for (const { label, pem } of blocks.value) {
    if (label !== "CERTIFICATE") return mistake(`this is a ${label.toLowerCase()} in PEM`, CERTIFICATE);
    try {
      certificates.push(new X509Certificate(pem));
    } catch {
      return mistake("this certificate cannot be read", CERTIFICATE);
    }
  }
  return { value: certificates };
}

/** An issuing authority and those above it, in this order, the root last. */
export function readAuthority(input: unknown): Reading<AuthorityChain> {
  const read = readCertificates(input);
  if ("mistake" in read) return read;
  const chain = read.value;
  const other = chain.find(({ ca }) => !ca);
  if (other !== undefined) {
    return mistake(
      `the certificate of ${shown(nameOf(other))} is no authority's`,
      "certificates of authorities: basic constraints CA:TRUE",
    );
  }
  for (const [place, one] of chain.entries()) {
    const above = chain[place + 1] ?? one;
    if (isIssuedBy(one, above)) continue;
    const expected = "the issuing authority first, then whoever issued each, up to a root";
    if (above === one) return mistake(`the authority above ${shown(nameOf(one))} is missing`, expected);
    return mistake(
      `${shown(nameOf(above))} did not issue ${shown(nameOf(one))}, which stands before it`,
      expected,
    );
  }
  const [certificate = "", ...above] = chain.map((one) => one.toString());
  return { value: { certificate, above } };
}

/** The public key that a management system signs with. */
export function readPublicKey(input: unknown): Reading<string> {
  const blocks = blocksOf(input, KEY);
  if ("mistake" in blocks) return blocks;
  const [block, ...more] = blocks.value;
  if (block === undefined || more.length > 0 || block.label !== "PUBLIC KEY")
    return mistake("this is not one public key", KEY);
  let key: KeyObject;
  try {
    key = createPublicKey(block.pem);
  } catch {
    return mistake("this public key cannot be read", KEY);
  }
  const bits = key.asymmetricKeyType === "rsa" ? (key.asymmetricKeyDetails?.modulusLength ?? 0) : Infinity;
  if (bits < MIN_RSA_BITS)
    return mistake(`this RSA key has ${bits} bits, at least ${MIN_RSA_BITS} are asked for`, KEY);
  return { value: key.export({ type: "spki", format: "pem" }).toString() };
}

/** SHA-256 of a certificate's DER, hexadecimal. */
export function fingerprintOf(pem: string): string {
  return new X509Certificate(pem).fingerprint256.replaceAll(":", "").toLowerCase();
}

/** What is the same where two certificates are of one key. */
export function keyOf(pem: string): string {
  return new X509Certificate(pem).publicKey.export({ type: "spki", format: "der" }).toString("base64");
}

function isIssuedBy(one: X509Certificate, above: X509Certificate): boolean {
  try {
    return one.checkIssued(above) && one.verify(above.publicKey);
  } catch {
    return false;
  }
}

function nameOf({ subject }: X509Certificate): string {
  return subject.split("\n").join(", ");
}
