/** Whether the certificate that came is the one that was asked for; pure. */
import { X509Certificate } from "node:crypto";
import { PeerError } from "../base/index.ts";
import { readCertificate, readRequest } from "../x509/index.ts";

/** Certificates above a leaf at most. */
const MAX_DEPTH = 8;

/**
 * The certificate for the key of `request`, what is above it in order, and its root: DER. Throws a PeerError: `est-other-key` where
 * none of `given` is for that key, `est-chain` where none of `anchors` is above it. All DER.
 */
export function issuedChain(
  request: Uint8Array,
  given: readonly Uint8Array[],
  above: readonly Uint8Array[],
  anchors: readonly Uint8Array[],
): Buffer[] {
  const key = Buffer.from(readRequest(request).publicKeyInfo);
  const own = given.find((der) => key.equals(readCertificate(der).publicKeyInfo));
  if (own === undefined) {
    throw new PeerError(
      "est-other-key",
      "the certificate that came back is for another key than the one asked for",
    );
  }
  return chainOf(own, [...given, ...above], anchors);
}

/** `leaf`, what is above it in order, and last the one of `anchors` that all of it comes from. */
export function chainOf(
  leaf: Uint8Array,
  above: readonly Uint8Array[],
  anchors: readonly Uint8Array[],
): Buffer[] {
  const roots = anchors.map(parsed);
  const others = above.map(parsed);
  // Two authorities may share a name or a key, so that not every way up leads to a root.
  const climb = (chain: readonly X509Certificate[], top: X509Certificate): X509Certificate[] | null => {
    const root = roots.find((one) => isAbove(one, top));
    if (root) return [...chain, root];
    if (chain.length >= MAX_DEPTH) return null;
    for (const next of others) {
      if (chain.some(({ raw }) => raw.equals(next.raw)) || !isAbove(next, top)) continue;
      const found = climb([...chain, next], next);
      if (found) return found;
    }
    return null;
  };
  const own = parsed(leaf);
  const chain = climb([own], own);
  if (chain) return chain.map(({ raw }) => raw);
  throw new PeerError(
    "est-chain",
    "the certificate that came back does not come from an authority that is trusted",
    "Check that the fingerprint or the authority's certificate is that of the authority that issues.",
  );
}

/** Signed by itself, and an authority. */
export function isRoot(der: Uint8Array): boolean {
  const certificate = parsed(der);
  return certificate.ca && certificate.checkIssued(certificate) && certificate.verify(certificate.publicKey);
}

/** Throws a PeerError `est-answer` for what OpenSSL takes for no certificate. */
export function parsed(der: Uint8Array): X509Certificate {
  try {
    return new X509Certificate(der);
  } catch (error) {
    throw new PeerError("est-answer", "what came back holds bytes that are no certificate", undefined, {
      cause: error,
    });
  }
}

function isAbove(issuer: X509Certificate, below: X509Certificate): boolean {
  return issuer.ca && below.checkIssued(issuer) && below.verify(issuer.publicKey);
}
