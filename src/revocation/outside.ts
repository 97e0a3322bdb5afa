import type { Logger } from "pino";
import type { AuditLog, Database } from "../audit/index.ts";
import { NiacError, UsageError, type Clock } from "../base/index.ts";
import type { CertificateInUse, CrlView, OutsideView, RevocationVerdict } from "../link/index.ts";
import type { OutsideAuthority } from "../site/index.ts";
import { pemToDer } from "../x509/index.ts";
import { CrlFetcher, MAX_CRL_LENGTH } from "./crl-fetcher.ts";
import { CrlIntake, type Taken } from "./crl-intake.ts";
import { CrlStore } from "./crl-store.ts";
import { OcspClient } from "./ocsp-client.ts";
import { OcspStore } from "./ocsp-store.ts";
import { knownOf, ownList } from "./outside-known.ts";
import { OutsideNotices } from "./outside-notices.ts";
import { readTrusted, type Trusted } from "./outside-trusted.ts";
import { timeText, verdictOf, type Known } from "./outside-verdict.ts";
import { crlView, troubleOf, viewOf, type Standing } from "./outside-view.ts";

export interface OutsideOptions {
  /** With the tables of `createOutside`. Stays the caller's, who closes it after `stop` has resolved. */
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Logger;
  readonly append: AuditLog["append"];
  /** The latest time known, milliseconds since the epoch: nothing is judged by an earlier clock. */
  readonly floor: () => number;
  /** Told when a certificate may have become revoked: live sessions are to be checked again. */
  readonly changed: () => void;
  /** As in OcspOptions. */
  readonly patience?: number;
}

interface Authority {
  readonly config: OutsideAuthority;
  /** Null: its certificate cannot be read, see `unreadable`. */
  readonly trusted: Trusted | null;
  readonly unreadable: string | null;
  readonly fetcher: CrlFetcher | null;
}

/** Milliseconds between two looks at what is about to run out. */
const WATCH = 60_000;

/** Authorities that are not this appliance's: who of those they certified was revoked. Lives in control. */
export class OutsideAuthorities {
  readonly #options: OutsideOptions;
  readonly #store: CrlStore;
  readonly #answers: OcspStore;
  readonly #intake: CrlIntake;
  readonly #ocsp: OcspClient;
  readonly #notices: OutsideNotices;
  readonly #watch: NodeJS.Timeout;
  #authorities = new Map<string, Authority>();

  constructor(options: OutsideOptions) {
    const { db, clock, floor, changed } = options;
    this.#options = options;
    this.#notices = new OutsideNotices(options.append, clock, options.log);
    this.#store = new CrlStore(db);
    this.#answers = new OcspStore(db);
    this.#intake = new CrlIntake({ store: this.#store, clock, floor });
    this.#ocsp = new OcspClient({
      store: this.#answers,
      clock,
      floor,
      ...(options.patience === undefined ? {} : { patience: options.patience }),
      listed: (authority, serial) => ownList(this.#store, authority, serial, this.#now()),
      revoked: ({ config }, serialNumber) => {
        this.#notices.record(`the OCSP responder of ${config.name} calls a certificate revoked`, {
          serialNumber,
        });
        changed();
      },
      told: ({ config }, problem) => this.#notices.server(config.name, "the OCSP responder", problem),
    });
    this.#watch = setInterval(() => this.#look(), WATCH).unref();
  }

  /** Puts the site document's authorities in force. What is the same as before goes on as it was; lists are kept for those that come back. */
  apply(configs: readonly OutsideAuthority[]): void {
    const before = this.#authorities;
    this.#authorities = new Map(
      configs.map((config) => [config.name, kept(before, config) ?? this.#open(config)]),
    );
    for (const [name, authority] of before) {
      if (this.#authorities.get(name) === authority) continue;
      authority.fetcher?.stop();
      this.#notices.forget(name);
    }
    for (const [name, authority] of this.#authorities) {
      if (before.get(name) === authority) continue;
      if (authority.config.revocation === "unchecked") {
        this.#notices.record(
          `certificates of ${name} are not checked for revocation, as the site document says`,
        );
      }
      authority.fetcher?.start();
    }
    this.#look();
    this.#options.changed();
  }

  /** Null: the authority is none of these. Rejects only for bugs; whoever asks lets nobody in then. */
  async check(
    { authority: name, serialNumber }: Pick<CertificateInUse, "authority" | "serialNumber">,
    groups: readonly string[],
  ): Promise<RevocationVerdict | null> {
    const authority = name === null ? undefined : this.#authorities.get(name);
    if (authority === undefined) return null;
    const { config, trusted, unreadable } = authority;
    const known =
      trusted === null
        ? unreadableOf(config.name, unreadable)
        : await knownOf(trusted, serialNumber, {
            store: this.#store,
            ocsp: this.#ocsp,
            now: () => this.#now(),
          });
    const verdict = verdictOf(known, serialNumber, config, groups, this.#now());
    if (verdict.grace !== null) this.#notices.grace(config.name, verdict.grace);
    return verdict;
  }

  /**
   * A list brought by hand, DER or PEM, of an authority of the site document or of one above it. Resolves once it is in force. Rejects with a
   * PeerError where it is not one to be taken (on record), an UnavailableError where it could not be kept.
   */
  async importCrl(
    bytes: Uint8Array,
    by: string,
  ): Promise<{ readonly list: CrlView; readonly delta: boolean; readonly same: boolean }> {
    const readable = [...this.#authorities.values()].flatMap(({ trusted }) => trusted ?? []);
    if (readable.length === 0) {
      const advice = "Name the authority in the site document under trust, and apply it.";
      throw new UsageError(
        "no-authority",
        "the site document names no authority whose lists could be taken",
        advice,
      );
    }
    try {
      const taken = await this.#intake.take(
        derOf(bytes),
        readable.flatMap(({ lists }) => lists),
        by,
      );
      return { list: this.#took(taken, by), delta: taken.delta, same: taken.same };
    } catch (error) {
      if (error instanceof NiacError)
        this.#notices.record(`${by} brought a revocation list that is not taken: ${error.message}`, {
          code: error.code,
        });
      throw error;
    }
  }

  /** Fetches lists now, and resolves when that is over, whatever came of it. Throws a UsageError for an unknown name. */
  async fetch(name: string | null): Promise<void> {
    const chosen = [...this.#authorities.values()].filter(
      ({ config }) => name === null || config.name === name,
    );
    if (name !== null && chosen[0]?.fetcher == null) {
      const advice = "See `niac crl show`; lists without an address are imported.";
      throw new UsageError("no-list", `no list of ${name} is fetched here`, advice);
    }
    await Promise.all(chosen.flatMap(({ fetcher }) => fetcher?.refresh() ?? []));
  }

  views(): OutsideView[] {
    const now = this.#now();
    return [...this.#authorities.values()].map((authority) => viewOf(this.#standing(authority), now));
  }

  /** Resolves when nothing of it touches the database any more. */
  async stop(): Promise<void> {
    clearInterval(this.#watch);
    for (const { fetcher } of this.#authorities.values()) fetcher?.stop();
    this.#ocsp.stop();
    await this.#intake.stop();
  }

  #open(config: OutsideAuthority): Authority {
    try {
      const trusted = readTrusted(config);
      return { config, trusted, unreadable: null, fetcher: this.#fetcherOf(trusted) };
    } catch (error) {
      if (!(error instanceof NiacError)) throw error;
      return { config, trusted: null, unreadable: error.message, fetcher: null };
    }
  }

  #fetcherOf({ config, issuer, lists }: Trusted): CrlFetcher | null {
    const { name, crlUrl: url, crlEvery: every, revocation } = config;
    if (url === null || revocation === "unchecked") return null;
    return new CrlFetcher({
      url,
      every,
      clock: this.#options.clock,
      nextUpdate: () => this.#store.held(issuer)?.nextUpdate ?? null,
      take: async (bytes) => {
        this.#took(await this.#intake.take(derOf(bytes), lists.slice(0, 1), "fetched"), "fetched");
      },
      told: (problem) => this.#notices.server(name, "the revocation list", problem),
    });
  }

  /** A list was taken, or is the one held. */
  #took({ issuer, list, delta, same }: Taken, by: string): CrlView {
    const of = [...this.#authorities.values()]
      .flatMap(({ trusted }) => trusted?.lists ?? [])
      .find((each) => each.issuer === issuer);
    const view = crlView(of?.name ?? issuer, list);
    if (same) return view;
    const what = delta ? "changes to the revocation list" : "a new revocation list";
    this.#notices.record(`${what} of ${view.of} in force until ${timeText(list.nextUpdate)}`, {
      number: view.number ?? "none",
      entries: list.entries,
      changes: list.changes,
      by,
    });
    this.#look();
    this.#options.changed();
    return view;
  }

  /** Says of each authority what became wrong with its lists, and what is over. */
  #look(): void {
    const now = this.#now();
    for (const authority of this.#authorities.values()) {
      this.#notices.trouble(authority.config.name, troubleOf(this.#standing(authority), now));
    }
  }

  #standing({ config, trusted, unreadable, fetcher }: Authority): Standing {
    return {
      config,
      lists: (trusted?.lists ?? []).map(({ issuer, name }) => ({ of: name, list: this.#store.held(issuer) })),
      unreadable,
      fetch: fetcher?.last ?? null,
      responder:
        trusted === null || config.revocation !== "ocsp"
          ? null
          : { answered: this.#answers.answered(trusted.issuer), problem: this.#ocsp.problem(trusted.issuer) },
    };
  }

  #now(): number {
    return Math.max(this.#options.clock.now(), this.#options.floor());
  }
}

/** The authority as it is, where the document says the same of it as before. */
function kept(before: ReadonlyMap<string, Authority>, config: OutsideAuthority): Authority | undefined {
  const authority = before.get(config.name);
  return JSON.stringify(authority?.config) === JSON.stringify(config) ? authority : undefined;
}

function unreadableOf(name: string, why: string | null): Known {
  return {
    state: "unknown",
    why: `the certificate of ${name} cannot be read (${why ?? ""})`,
    advice: "Tell the plant admin: the authority's certificate in the site document needs to be seen to.",
    knownUntil: null,
  };
}

const PEM_START = "-----BEGIN X509 CRL-----";

function derOf(bytes: Uint8Array): Uint8Array {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // DER begins with 0x30, the digit 0, which no PEM text does.
  if (!buffer.subarray(0, PEM_START.length).equals(Buffer.from(PEM_START))) return bytes;
  const [der = bytes] = pemToDer(buffer.toString("latin1"), "X509 CRL", MAX_CRL_LENGTH * 2);
  return der;
}
