/** What the gateway's TLS is made of, and who signs it: files of the settings, or an authority that control asks. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Logger } from "pino";
import type { Issued } from "../authority/index.ts";
import { messageOf, systemCode, UnavailableError, UsageError } from "../base/index.ts";
import type { OwnNames, TlsGiven } from "../link/index.ts";
import type { Settings } from "../settings/index.ts";
import type { Snapshot } from "../site/index.ts";
import { certificatePem, readRequest, type CertificationRequest } from "../x509/index.ts";
import { ownNames } from "./own-names.ts";

/** Signs the appliance's own certificates: the plant's authority, or the site's own at the other end of EST. */
export interface OwnIssuer {
  /** DER of all that there are, the roots first. Throws an UnavailableError where there is no authority yet. */
  cacerts(): readonly Buffer[];
  /** PEM: against which clients' and servers' certificates are verified. */
  trustedPem(): { readonly clientCa: string; readonly serverCa: string };
  /** `life`: milliseconds. `by`: for the record. */
  infrastructure(
    request: CertificationRequest,
    names: OwnNames,
    life: number,
    by: string,
  ): Issued | Promise<Issued>;
}

export interface OwnTlsParts {
  readonly settings: Pick<Settings, "tls" | "rotation">;
  /** The appliance's name in the record. */
  readonly origin: string;
  readonly log: Logger;
  /** Who signs now. */
  issuer(): OwnIssuer;
  snapshot(): Snapshot;
  /** The appliance's own, as they are now. */
  addresses(): readonly string[];
  /** Tells the gateway. */
  push(tls: TlsGiven): void;
}

/** A certificate outlives this many rotations, so that a renewal may fail for a while. */
const ROTATIONS = 3;
/** Milliseconds: X.509 counts in seconds, and a certificate that is over when it arrives is none. */
const SHORTEST_LIFE = 60_000;

export class OwnTls {
  readonly #parts: OwnTlsParts;
  /** Digest of what was told last, so that nothing is told twice. */
  #told = "";
  #omitted = "";
  #complaint = "";

  constructor(parts: OwnTlsParts) {
    this.#parts = parts;
  }

  /** Throws a UsageError for a file of the settings that cannot be read. */
  given(): TlsGiven {
    const { tls, rotation } = this.#parts.settings;
    const names = this.names();
    const { digest, clientCa, serverCa } = this.#authorities();
    const clients = clientCa + outsidePem(this.#parts.snapshot());
    const common = { names, rotation, authorities: digest };
    if (tls === null) return { own: null, clientCa: clients, serverCa, ...common };
    const own = { certificate: readPem(tls.certificate), key: readPem(tls.key) };
    return { own, clientCa: readPem(tls.clientCa) + clients, serverCa: readPem(tls.serverCa), ...common };
  }

  /** PEM of the authorities whose clients the settings' file lets in; null where there is no such file. */
  clientFile(): string | null {
    const { tls } = this.#parts.settings;
    return tls === null ? null : readPem(tls.clientCa);
  }

  names(): OwnNames {
    const { origin, log } = this.#parts;
    const { names, omitted } = ownNames(this.#parts.snapshot(), origin, this.#parts.addresses());
    const list = omitted.join(", ");
    if (list !== this.#omitted && list !== "") {
      log.warn(
        { omitted: omitted.length, names: list.slice(0, 1_000) },
        "the appliance's certificate has no room for all names of the site; who asks for these by name is not served",
      );
    }
    this.#omitted = list;
    return names;
  }

  /** What the site document, the authorities or the addresses are now, where that changes what was told. */
  changed(): void {
    try {
      const tls = this.given();
      const text = digestOf(JSON.stringify(tls));
      if (text !== this.#told) this.#parts.push(tls);
      this.#told = text;
      this.#complaint = "";
    } catch (error) {
      const message = messageOf(error);
      if (message !== this.#complaint)
        this.#parts.log.error({ reason: message }, "the gateway keeps its TLS material");
      this.#complaint = message;
    }
  }

  /** Signs a request of the appliance's own (DER) for its names as they are now. `certificate`: PEM, root included. */
  async certify(
    der: Uint8Array,
    by: string,
  ): Promise<{ certificate: string; notBefore: number; notAfter: number }> {
    const { settings } = this.#parts;
    if (settings.tls !== null) {
      throw new UsageError(
        "own-files",
        "the appliance's certificate comes from a file",
        "See NIAC_TLS_CERTIFICATE.",
      );
    }
    const life = Math.max(ROTATIONS * settings.rotation, SHORTEST_LIFE);
    const issued = await this.#parts.issuer().infrastructure(readRequest(der), this.names(), life, by);
    const { certificate, chain, notBefore, notAfter } = issued;
    return { certificate: [certificate, ...chain].map(certificatePem).join(""), notBefore, notAfter };
  }

  /** Empty texts while there is no authority. */
  #authorities(): { readonly digest: string; readonly clientCa: string; readonly serverCa: string } {
    const issuer = this.#parts.issuer();
    try {
      return { digest: digestOf(...issuer.cacerts()), ...issuer.trustedPem() };
    } catch (error) {
      if (error instanceof UnavailableError) return { digest: "", clientCa: "", serverCa: "" };
      throw error;
    }
  }
}

function digestOf(...parts: ReadonlyArray<string | Buffer>): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}

/** Clients of the outside authorities that the site document names are let in, too. */
function outsidePem({ trust }: Snapshot): string {
  return trust.authorities.flatMap(({ certificate, above }) => [certificate, ...above].map(ended)).join("");
}

function ended(pem: string): string {
  return pem.endsWith("\n") ? pem : `${pem}\n`;
}

function readPem(path: string): string {
  try {
    return ended(readFileSync(path, "utf8"));
  } catch (error) {
    throw new UsageError(
      "tls-file",
      `${path} cannot be read (${systemCode(error)})`,
      "See the NIAC_TLS_ settings.",
    );
  }
}
