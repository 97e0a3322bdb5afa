/**
 * A site's own authority behind EST, in place of the plant's: the appliance is its client and registration authority, and has the
 * gateway's certificates signed there and those of laptops that enrol here. What it revokes its own lists and responder say.
 */
import { PeerError, UnavailableError } from "../base/index.ts";
import type { OwnNames } from "../link/index.ts";
import type { RecordDraft } from "../audit/index.ts";
import { pemToDer, readCertificate, readRequest, type CertificationRequest } from "../x509/index.ts";
import type { Issued, Issuer, Subject } from "./contract.ts";
import { fingerprintOf } from "../est/index.ts";
import { checkAnswer, checkLaptopRequest, checkOwnRequest } from "./upstream-checks.ts";
import { record, UpstreamIdentity, type UpstreamParts } from "./upstream-identity.ts";

export class UpstreamAuthority implements Issuer {
  readonly #parts: UpstreamParts;
  readonly identity: UpstreamIdentity;

  constructor(parts: UpstreamParts) {
    this.#parts = parts;
    this.identity = new UpstreamIdentity(parts);
  }

  cacerts(): readonly Buffer[] {
    return pemToDer(this.identity.held().authorities);
  }

  trustedPem(): { readonly clientCa: string; readonly serverCa: string } {
    const { authorities } = this.identity.held();
    return { clientCa: authorities, serverCa: authorities };
  }

  async infrastructure(
    request: CertificationRequest,
    names: OwnNames,
    _life: number,
    by: string,
  ): Promise<Issued> {
    const whole = readRequest(request.der);
    checkOwnRequest(whole, names);
    const issued = await this.#issued(whole, true);
    await record(this.#parts, {
      reason: `the site's authority issued a certificate of the appliance's own to the ${by}`,
      ...detailOf(issued),
    });
    return issued;
  }

  async issue(request: CertificationRequest, subject: Subject, by: string): Promise<Issued> {
    // As its sender signed it: what others may have taken out of it is still in what is passed on.
    const whole = readRequest(request.der);
    checkLaptopRequest(whole, subject);
    const issued = await this.#issued(whole, false);
    const { serialNumber, notAfter, certificate } = issued;
    if (subject.until !== null && notAfter > subject.until) {
      const [end, limit] = [notAfter, subject.until].map((time) => new Date(time).toISOString());
      throw new PeerError(
        "upstream-answer",
        `the certificate that the site's authority issued is good until ${end}, and ${subject.user} has access until ${limit} only`,
        "Let that authority issue shorter ones to this appliance, or give a later end date.",
      );
    }
    const { store, clock } = this.#parts;
    const kept = { fingerprint: fingerprintOf(certificate), serialNumber, subject, notAfter };
    await record(
      this.#parts,
      {
        reason: `the site's authority issued a certificate to ${subject.user} on ${subject.device}, let in by ${by}`,
        ...detailOf(issued),
      },
      () => store.issued(kept, by, clock.now()),
    );
    return issued;
  }

  holder(fingerprint: string): { readonly subject: Subject; readonly notAfter: number } | null {
    const held = this.#parts.store.holder(fingerprint);
    return held !== null && held.notAfter > this.#parts.clock.now() ? held : null;
  }

  /** The user of a certificate that is not over and says this device; null: nobody's. */
  userOf(device: string): string | null {
    return this.#parts.store.userOf(device, this.#parts.clock.now());
  }

  /** Has it signed, and looks at what came. */
  async #issued(request: CertificationRequest, server: boolean): Promise<Issued> {
    const row = this.identity.held();
    const answer = await (await this.identity.client(row)).enroll(request.der, null);
    if (answer.kind === "wait") {
      throw new UnavailableError(
        "upstream-waits",
        `the site's authority ${row.url} wants to approve each certificate by hand`,
        "Let it issue to this appliance without: this appliance has decided already who may have one.",
      );
    }
    const [der, ...chain] = answer.certificates;
    if (der === undefined) throw new PeerError("upstream-answer", "the site's authority sent no certificate");
    const certificate = readCertificate(der);
    checkAnswer(request, certificate, server);
    const { serialNumber, notBefore, notAfter } = certificate;
    return { certificate: der, chain, serialNumber, notBefore, notAfter };
  }
}

function detailOf({ serialNumber, notAfter }: Issued): Pick<RecordDraft, "detail"> {
  return { detail: { serialNumber, until: new Date(notAfter).toISOString() } };
}
