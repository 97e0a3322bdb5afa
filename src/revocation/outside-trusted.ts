/** An authority of the site document, read once: whose lists are asked about what it issued. Pure. */
import { createHash } from "node:crypto";
import type { OutsideAuthority } from "../site/index.ts";
import { pemToDer, readCertificate, whoText, type Certificate } from "../x509/index.ts";
import type { ListIssuer } from "./crl-judge.ts";

/** An authority and the one above it, whose list may name it. */
export interface Step {
  /** SHA-256 of the upper one's certificate, hexadecimal. */
  readonly above: string;
  readonly aboveName: string;
  /** Of the lower one, hexadecimal. */
  readonly serialNumber: string;
}

export interface Trusted {
  readonly config: OutsideAuthority;
  /** SHA-256 of its certificate, hexadecimal. */
  readonly issuer: string;
  readonly certificate: Certificate;
  /** Its own list first, then those of the authorities above it, in that order. */
  readonly lists: readonly Omit<ListIssuer<Uint8Array>, "held">[];
  /** From the issuing authority up, each that has one above it here. */
  readonly steps: readonly Step[];
}

/** Throws a PeerError for a certificate that cannot be read. */
export function readTrusted(config: OutsideAuthority): Trusted {
  const chain = [config.certificate, ...config.above].map((pem) => {
    const [der = Buffer.alloc(0)] = pemToDer(pem);
    const certificate = readCertificate(der);
    const issuer = createHash("sha256").update(der).digest("hex");
    return { der, certificate, issuer, name: whoText(certificate.subject) };
  });
  const [own, ...above] = chain;
  if (own === undefined) throw new TypeError("a chain has at least the authority itself");
  const sameName = (certificate: Certificate): boolean =>
    Buffer.from(certificate.subjectDer).equals(own.certificate.subjectDer);
  const rolled = above.filter(({ certificate }) => sameName(certificate));
  return {
    config,
    issuer: own.issuer,
    certificate: own.certificate,
    lists: [
      {
        issuer: own.issuer,
        name: config.name,
        signers: [own, ...rolled].map(({ der }) => der),
        covers: "users",
      },
      ...above
        .filter(({ certificate }) => !sameName(certificate))
        .map(({ issuer, name, der }) => ({ issuer, name, signers: [der], covers: "authorities" as const })),
    ],
    steps: above.map(({ issuer, name }, at) => ({
      above: issuer,
      aboveName: name,
      serialNumber: chain[at]!.certificate.serialNumber,
    })),
  };
}
