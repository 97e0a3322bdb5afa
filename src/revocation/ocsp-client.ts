import { randomBytes } from "node:crypto";
import { messageOf, NiacError, PeerError, systemCode, UnavailableError, type Clock } from "../base/index.ts";
import {
  crlReasonNumber,
  makeOcspRequest,
  MAX_OCSP_LENGTH,
  readOcspResponse,
  type OcspSingle,
} from "../x509/index.ts";
import { judgeAnswer } from "./ocsp-judge.ts";
import type { OcspStore } from "./ocsp-store.ts";
import { exchange } from "./outside-http.ts";
import type { Trusted } from "./outside-trusted.ts";
import { GOOD, type Known } from "./outside-verdict.ts";

export interface OcspOptions {
  readonly store: OcspStore;
  readonly clock: Clock;
  /** The latest time known, milliseconds since the epoch. */
  readonly floor: () => number;
  /** Milliseconds a responder has for its whole answer, if not the usual three seconds. */
  readonly patience?: number;
  /** What the authority's own list says of a certificate. */
  readonly listed: (authority: Trusted, serialNumber: string) => Known;
  /** Told when a responder first calls a certificate revoked. */
  readonly revoked: (authority: Trusted, serialNumber: string) => void;
  /** Told when a responder begins to be of no use (again), and when that is over. */
  readonly told: (authority: Trusted, problem: NiacError | null) => void;
}

/** `away`: nobody answered, so that somebody else may be asked. */
export interface Answered {
  readonly known: Known;
  readonly away: boolean;
}

/** Milliseconds, all below. */
const TIMEOUT = 3_000;
const LONGEST_KEPT = 3_600_000;
const SHORTEST_KEPT = 10_000;
/** A responder that cannot be reached is left alone for so long, or every session would wait for it. */
const REST = 5_000;
/** Between two notes on disk that a responder answers. */
const NOTE_EVERY = 600_000;
const MAX_KEPT = 10_000;
const ADVICE = "Tell the plant admin: the authority's OCSP responder has to be seen to (niac crl show).";

interface Kept {
  readonly single: OcspSingle;
  /** On the monotonic clock: from then on the responder is asked anew. */
  readonly again: number;
  /** Milliseconds since the epoch: until then it counts where the responder is away. */
  readonly good: number;
}

interface Responder {
  problem: NiacError | null;
  /** On the monotonic clock. */
  restUntil: number;
  noted: number;
}

/** Asks authorities' responders, each certificate once at a time, and keeps what they said for as long as they said. */
export class OcspClient {
  readonly #options: OcspOptions;
  readonly #stopped = new AbortController();
  /** Oldest first. */
  readonly #kept = new Map<string, Kept>();
  readonly #asking = new Map<string, Promise<Answered>>();
  readonly #responders = new Map<string, Responder>();

  constructor(options: OcspOptions) {
    this.#options = options;
  }

  stop(): void {
    this.#stopped.abort();
  }

  problem(issuer: string): string | null {
    return this.#responders.get(issuer)?.problem?.message ?? null;
  }

  /** Never rejects for what a responder does. `url`: where it is asked. */
  async ask(authority: Trusted, url: string, serialNumber: string): Promise<Answered> {
    const key = `${authority.issuer} ${serialNumber}`;
    const kept = this.#kept.get(key);
    if (kept !== undefined && this.#options.clock.monotonic() < kept.again) {
      return { known: this.#known(authority, serialNumber, kept.single), away: false };
    }
    let asking = this.#asking.get(key);
    if (asking === undefined) {
      asking = this.#ask(authority, url, serialNumber, key).finally(() => this.#asking.delete(key));
      this.#asking.set(key, asking);
    }
    return asking;
  }

  async #ask(authority: Trusted, url: string, serialNumber: string, key: string): Promise<Answered> {
    const responder = this.#responder(authority.issuer);
    try {
      if (this.#options.clock.monotonic() < responder.restUntil && responder.problem !== null)
        throw responder.problem;
      const single = await this.#exchange(authority, url, serialNumber);
      const before = this.#kept.get(key)?.single.status.kind;
      this.#keep(key, single);
      if (single.status.kind === "revoked" && before !== "revoked")
        this.#options.revoked(authority, serialNumber);
      this.#note(authority, serialNumber, single, responder);
      return { known: this.#known(authority, serialNumber, single), away: false };
    } catch (error) {
      if (!(error instanceof NiacError)) throw error;
      if (error !== responder.problem) this.#failed(authority, responder, error);
      return this.#without(authority, serialNumber, key, error);
    }
  }

  async #exchange(authority: Trusted, url: string, serialNumber: string): Promise<OcspSingle> {
    const { patience = TIMEOUT } = this.#options;
    const { subjectDer: issuerName, key } = authority.certificate;
    const subject = { issuerName, issuerKey: key.bytes, serialNumber };
    const nonce = randomBytes(32);
    const headers = { "Content-Type": "application/ocsp-request", Accept: "application/ocsp-response" };
    const body = makeOcspRequest({ ...subject, nonce });
    const asked = { url, headers, body, limit: MAX_OCSP_LENGTH, timeout: patience, idle: patience };
    const told = await exchange(asked, this.#stopped.signal);
    const host = new URL(url).host;
    if (told.status !== 200)
      throw new UnavailableError("ocsp-away", `the responder ${host} answers ${told.status}`, ADVICE);
    const answer = readOcspResponse(told.body);
    if (answer.status !== "successful") {
      throw new UnavailableError(
        "ocsp-away",
        `the responder ${host} does not answer the question: ${answer.status}`,
        ADVICE,
      );
    }
    const single = judgeAnswer(answer, {
      subject,
      issuer: authority.certificate,
      nonce,
      now: this.#now(),
      isGood: (serial) => this.#options.listed(authority, serial).state === "good",
    });
    const said = this.#options.store.saidRevoked(authority.issuer, serialNumber);
    if (said !== null && single.thisUpdate < said.said) {
      throw new PeerError("ocsp-stale", "the answer is older than one that called the certificate revoked");
    }
    return single;
  }

  #note(authority: Trusted, serialNumber: string, single: OcspSingle, responder: Responder): void {
    try {
      this.#remember(authority, serialNumber, single, responder);
    } catch (error) {
      // A full disk keeps an answer from being remembered, not from being given.
      if (!systemCode(error).startsWith("SQLITE_")) throw error;
    }
    if (responder.problem !== null) this.#options.told(authority, null);
    responder.problem = null;
  }

  /** Over a restart too: a refusal is not to be forgotten because a responder went away. */
  #remember({ issuer }: Trusted, serialNumber: string, single: OcspSingle, responder: Responder): void {
    const { store } = this.#options;
    const before = store.saidRevoked(issuer, serialNumber);
    const { status, thisUpdate: said } = single;
    if (status.kind === "revoked") {
      const { revokedAt, reason } = status;
      if (before === null || said > before.said)
        store.sayRevoked(issuer, serialNumber, { revokedAt, reason: crlReasonNumber(reason), said });
    } else if (before !== null && status.kind === "good") {
      store.sayRevoked(issuer, serialNumber, null);
    }
    const now = this.#now();
    if (now - responder.noted > NOTE_EVERY) {
      store.sayAnswered(issuer, now);
      responder.noted = now;
    }
  }

  #failed(authority: Trusted, responder: Responder, error: NiacError): void {
    const isNew = responder.problem?.code !== error.code;
    responder.problem = error;
    if (error instanceof UnavailableError) responder.restUntil = this.#options.clock.monotonic() + REST;
    if (isNew) this.#options.told(authority, error);
  }

  /** What is known without the responder: what it said before, as long as that is good. */
  #without(authority: Trusted, serialNumber: string, key: string, problem: NiacError): Answered {
    const { store } = this.#options;
    const said = store.saidRevoked(authority.issuer, serialNumber);
    if (said !== null) return { known: revokedBy(authority, said.revokedAt, said.reason), away: false };
    const kept = this.#kept.get(key);
    if (kept !== undefined && this.#now() <= kept.good) {
      return { known: this.#known(authority, serialNumber, kept.single), away: false };
    }
    const until = Math.max(store.answered(authority.issuer) ?? 0, kept?.good ?? 0);
    const why = `the OCSP responder of ${authority.config.name} is of no use: ${messageOf(problem)}`;
    return {
      known: { state: "unknown", why, advice: ADVICE, knownUntil: until === 0 ? null : until },
      away: true,
    };
  }

  #known(authority: Trusted, serialNumber: string, { status }: OcspSingle): Known {
    switch (status.kind) {
      case "good":
        return GOOD;
      case "revoked":
        return revokedBy(authority, status.revokedAt, crlReasonNumber(status.reason));
      case "unknown":
        return {
          state: "unknown",
          why: `the OCSP responder of ${authority.config.name} does not know the serial number ${serialNumber}`,
          advice: "Ask the authority: it may not have issued this certificate, or its responder lags behind.",
          knownUntil: null,
        };
    }
  }

  #keep(key: string, single: OcspSingle): void {
    const now = this.#now();
    const { nextUpdate, status } = single;
    const left = status.kind === "unknown" || nextUpdate === null ? 0 : nextUpdate - now;
    const kept = Math.max(SHORTEST_KEPT, Math.min(LONGEST_KEPT, left));
    this.#kept.delete(key);
    this.#kept.set(key, {
      single,
      again: this.#options.clock.monotonic() + kept,
      good: now + Math.max(left, kept),
    });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MAX_KEPT && oldest !== undefined) this.#kept.delete(oldest);
  }

  #responder(issuer: string): Responder {
    let responder = this.#responders.get(issuer);
    if (responder === undefined) {
      responder = { problem: null, restUntil: 0, noted: 0 };
      this.#responders.set(issuer, responder);
    }
    return responder;
  }

  #now(): number {
    return Math.max(this.#options.clock.now(), this.#options.floor());
  }
}

function revokedBy({ config }: Trusted, at: number, reason: number): Known {
  return { state: "revoked", at, reason, by: `the OCSP responder of ${config.name}` };
}
