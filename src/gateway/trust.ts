/** Control's TrustState, made ready to be asked: pure. */
import { X509Certificate } from "node:crypto";
import { messageOf } from "../base/index.ts";
import type { Identity, IdentityOptions, TenantAuthority } from "../identity/index.ts";
import type { IssuingAuthority, TrustState } from "../link/index.ts";
import {
  Locks,
  reportedDevice,
  standingOf,
  unknownStanding,
  type PostureReport,
  type Standing,
} from "../policy/index.ts";
import type { Snapshot } from "../site/index.ts";

export class Trust {
  readonly locks: Locks;
  /** Nothing is judged by an earlier time. Milliseconds since the epoch. */
  readonly floor: number;
  /** Authorities that cannot be used, in words; what they issued is refused. */
  readonly problems: readonly string[];
  readonly #authorities: ReadonlyMap<string, IssuingAuthority>;
  readonly #tenants: readonly TenantAuthority[];
  readonly #reports: ReadonlyMap<string, readonly PostureReport[]>;

  constructor({ authorities, locks, postures, floor }: TrustState) {
    this.locks = new Locks(locks);
    this.floor = floor;
    this.#authorities = new Map(authorities.map((one) => [one.name, one]));
    const problems: string[] = [];
    this.#tenants = authorities.flatMap((one) => {
      try {
        return { ...one, certificate: new X509Certificate(one.certificate) };
      } catch (error) {
        problems.push(`the certificate of authority ${one.name} cannot be used: ${messageOf(error)}`);
        return [];
      }
    });
    this.problems = problems;
    this.#reports = Map.groupBy(postures, ({ device }) => device);
  }

  /** For readIdentity: where authorities are listed at all, whoever comes from another is refused. */
  get identityOptions(): IdentityOptions {
    return this.#authorities.size === 0 ? {} : { tenants: this.#tenants };
  }

  /**
   * What is said of the authority that issued a certificate. Where it is no longer the same, the certificate is not what it was when
   * it was let in.
   */
  issuer({ kind, authority }: Identity): string {
    if (kind !== "certificate") return "";
    if (authority === null) return this.#authorities.size === 0 ? "files" : "not listed";
    return JSON.stringify(this.#authorities.get(authority) ?? "not listed");
  }

  /** How the laptop of an identity stands to a requirement of the site document. */
  standing({ postures, trust }: Snapshot, identity: Identity, name: string): Standing {
    const requirement = postures.find((one) => one.name === name);
    if (requirement === undefined) return unknownStanding(name);
    const device = reportedDevice(identity, this.#authorities);
    const reports = device === null ? [] : (this.#reports.get(device.device) ?? []);
    return standingOf(
      requirement,
      device,
      reports,
      new Set(trust.postureSigners.map((signer) => signer.name)),
    );
  }
}
