/**
 * Who this appliance is to a site's own authority: one certificate, whose key is sealed at rest and which it renews by itself at two
 * thirds of its life. Away or refusing, that authority leaves the old one in use until it ends.
 */
import { randomUUID } from "node:crypto";
import type { AuditLog, RecordDraft } from "../audit/index.ts";
import {
  PeerError,
  Renewal,
  UnavailableError,
  UsageError,
  type Clock,
  type RenewalState,
  type Wish,
} from "../base/index.ts";
import { certificatePem, freshRequest, pemToDer, readCertificate, readRequest } from "../x509/index.ts";
import {
  type EstAnswer,
  type EstAuth,
  estClient,
  type EstClient,
  fingerprintOf,
  isRoot,
} from "../est/index.ts";
import type { Keyring } from "../seal/index.ts";
import { checkAnswer } from "./upstream-checks.ts";
import type { UpstreamRow, UpstreamStore } from "./upstream-store.ts";

export interface UpstreamParts {
  readonly store: UpstreamStore;
  readonly audit: Pick<AuditLog, "append">;
  readonly clock: Clock;
  readonly log: { info(about: object, message: string): void; warn(about: object, message: string): void };
  /** Opened when there is a key to seal or to open. */
  keyring(): Promise<Keyring>;
  /** The authorities it names are others than before. */
  changed(): void;
}

export interface Delegation {
  /** `https://host/.well-known/est[/label]`. */
  readonly url: string;
  readonly trust: { readonly ca: string } | { readonly fingerprint: string };
  readonly auth: EstAuth;
  /** The appliance's DNS name, which its identity bears. */
  readonly name: string;
  readonly by: string;
}

export interface UpstreamView {
  readonly url: string;
  readonly name: string;
  /** Null: it waits for approval. */
  readonly notAfter: number | null;
  /** Why it was not renewed when it was tried last; null: nothing is wrong. */
  readonly problem: string | null;
  readonly fingerprint: string;
}

const PURPOSE = "upstream identity";
/** As long as it lives, and no other interval. */
const EVERY = Number.MAX_SAFE_INTEGER;
const SHARE = 2 / 3;
/** Milliseconds between tries at most. */
const PATIENCE = 3_600_000;

export class UpstreamIdentity {
  readonly #parts: UpstreamParts;
  readonly #renewal: Renewal<Wish>;
  #row: UpstreamRow | null;

  /** Takes up what is kept; start() begins renewing. */
  constructor(parts: UpstreamParts) {
    this.#parts = parts;
    this.#row = parts.store.read();
    this.#renewal = new Renewal({
      clock: parts.clock,
      share: SHARE,
      patience: PATIENCE,
      renew: () => this.#renew(),
      tell: (state, turned) => this.#tell(state, turned),
    });
  }

  /** Whether there is one, and this appliance has an identity towards it. */
  get there(): boolean {
    return this.#row?.certificates != null;
  }

  start(): void {
    if (this.#row?.certificates != null) this.#renewal.resume({ every: EVERY }, this.#row.notAfter);
  }

  stop(): void {
    this.#renewal.stop();
  }

  view(): UpstreamView | null {
    const row = this.#row;
    if (row === null) return null;
    const [root] = pemToDer(row.ca);
    return {
      url: row.url,
      name: row.name,
      notAfter: row.certificates === null ? null : row.notAfter,
      problem: this.#renewal.state.problem,
      fingerprint: root === undefined ? "" : fingerprintOf(root),
    };
  }

  /**
   * Enrols this appliance. Where an administrator of that authority must approve first, an UnavailableError `upstream-waits` says so, and the
   * same again later asks with the same request. Throws a UsageError `upstream-there` where there is one already, and what the EST
   * client throws.
   */
  async init({ url, trust, auth, name, by }: Delegation): Promise<void> {
    if (this.there) {
      throw new UsageError(
        "upstream-there",
        `this appliance has an identity from ${this.#row?.url ?? "another"} already`,
      );
    }
    const keyring = await this.#parts.keyring();
    const client = estClient({ url, trust }, this.#parts.clock);
    const ca = await client.trusted();
    const waiting =
      this.#row?.url === url && this.#row.name === name && this.#row.ca === ca ? this.#row : null;
    const row = waiting ?? (await freshRow(url, ca, name, keyring));
    this.#parts.store.write(row);
    this.#row = row;
    const answer = await client.enroll(row.request, auth);
    const identity = await this.#identity(row, answer, client);
    await this.#keep(identity, `the site's authority ${url} gave this appliance an identity`, by);
    this.#renewal.resume({ every: EVERY }, identity.notAfter);
  }

  async #renew(): Promise<{ notAfter: number }> {
    const row = this.held();
    const keyring = await this.#parts.keyring();
    const client = await this.client(row);
    const fresh = await freshRow(row.url, row.ca, row.name, keyring);
    const identity = await this.#identity(fresh, await client.reenroll(fresh.request), client);
    await this.#keep(
      identity,
      `the site's authority ${row.url} renewed this appliance's identity`,
      "control",
    );
    return { notAfter: identity.notAfter };
  }

  /** The row with what an answer brings. */
  async #identity(row: UpstreamRow, answer: EstAnswer, client: EstClient): Promise<UpstreamRow> {
    if (answer.kind === "wait") {
      const minutes = Math.ceil(answer.retryAfter / 60_000);
      throw new UnavailableError(
        "upstream-waits",
        `the site's authority ${row.url} has the request, and an administrator must approve it first`,
        `Give the same command again in ${minutes} min; the request stays the same.`,
      );
    }
    const [der] = answer.certificates;
    if (der === undefined) throw new PeerError("upstream-answer", "the site's authority sent no certificate");
    const certificate = readCertificate(der);
    checkAnswer(readRequest(row.request), certificate, false);
    const authorities = rootsFirst([
      ...pemToDer(row.ca),
      ...answer.certificates.slice(1),
      ...(await client.cacerts()),
    ]);
    const certificates = answer.certificates.map(certificatePem).join("");
    return { ...row, certificates, authorities, notAfter: certificate.notAfter };
  }

  async #keep(row: UpstreamRow, reason: string, by: string): Promise<void> {
    const before = this.#row?.authorities;
    const until = new Date(row.notAfter).toISOString();
    await record(this.#parts, { reason, detail: { by, name: row.name, until } }, () =>
      this.#parts.store.write(row),
    );
    this.#row = row;
    if (row.authorities !== before) this.#parts.changed();
  }

  /** Speaks to the authority as this appliance. */
  async client(row: UpstreamRow): Promise<EstClient> {
    const key = (await this.#parts.keyring()).open(PURPOSE, row.key).toString("utf8");
    const credentials = { certificate: row.certificates ?? "", key };
    return estClient({ url: row.url, trust: { ca: row.ca }, credentials }, this.#parts.clock);
  }

  /** Throws an UnavailableError where there is no identity yet. */
  held(): UpstreamRow {
    if (this.#row?.certificates != null) return this.#row;
    throw new UnavailableError("no-authority", "there is no authority yet", "Make one: niac authority init.");
  }

  #tell({ problem, notAfter }: RenewalState, turned: boolean): void {
    const until = notAfter === null ? "" : new Date(notAfter).toISOString();
    if (problem === null)
      return this.#parts.log.info({ until }, "this appliance's identity at the site's authority is renewed");
    this.#parts.log.warn(
      { reason: problem, until },
      "this appliance's identity at the site's authority cannot be renewed",
    );
    if (!turned) return;
    const reason = `this appliance's identity at the site's authority cannot be renewed, and ends on ${until}: ${problem}`;
    record(this.#parts, { reason: reason.slice(0, 1_000) }).catch((error: unknown) =>
      this.#parts.log.warn({ reason: String(error) }, "that could not be recorded"),
    );
  }
}

/** What happened, on record; `change` is stored with it or not at all. */
export async function record(
  { audit, clock }: Pick<UpstreamParts, "audit" | "clock">,
  draft: Pick<RecordDraft, "reason" | "detail">,
  change?: () => void,
): Promise<void> {
  await audit.append([{ ...draft, kind: "trust", id: randomUUID(), time: clock.now() }], "now", change);
}

async function freshRow(url: string, ca: string, name: string, keyring: Keyring): Promise<UpstreamRow> {
  const { request, key } = await freshRequest({ commonName: name, dns: [name], ip: [] });
  const sealed = keyring.seal(PURPOSE, Buffer.from(key));
  return { url, ca, name, key: sealed, request, certificates: null, authorities: "", notAfter: 0 };
}

/** PEM, each once. */
function rootsFirst(ders: readonly Buffer[]): string {
  const list = [...new Map(ders.map((der) => [fingerprintOf(der), der])).values()];
  return [...list.filter(isRoot), ...list.filter((der) => !isRoot(der))].map(certificatePem).join("");
}
