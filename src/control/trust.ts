import { randomUUID } from "node:crypto";
import type { Logger } from "pino";
import type { AuditLog } from "../audit/index.ts";
import { messageOf, UnavailableError, type Clock } from "../base/index.ts";
import {
  gatewayCertificates,
  gatewayEndSessions,
  gatewayTrust,
  newFloor,
  postureKey,
  postureWords,
  type CertificateInUse,
  type IssuingAuthority,
  type PostureReport,
  type PostureSubject,
  type RevocationVerdict,
  type TrustState,
} from "../link/index.ts";
import type { Snapshot } from "../site/index.ts";
import type { GatewayLink } from "./gateway-link.ts";
import { LockBook } from "./locks.ts";
import { withoutLocked } from "./locks-network.ts";
import { factsText } from "./trust-posture.ts";
import type { TrustStore } from "./trust-store.ts";
import { KnownTime } from "./trust-time.ts";

/** Who knows of revocations: the plant's own authority, those of the site document. */
export interface RevocationSource {
  /** Null: the certificate is none of mine. Bounded in time; rejects for what is no answer at all. */
  check(certificate: CertificateInUse, groups: readonly string[]): Promise<RevocationVerdict | null>;
}

export interface TrustParts {
  readonly store: TrustStore;
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly log: Logger;
  readonly site: () => Snapshot;
  readonly authorities: () => readonly IssuingAuthority[];
  readonly sources: readonly RevocationSource[];
  readonly gateway: Pick<GatewayLink, "attached" | "call" | "notify">;
  /** Puts the snapshot in force in the kernel; resolves with what stands against it, or null. */
  readonly netd: (snapshot: Snapshot) => Promise<string | null>;
}

/** Milliseconds between looks at the clock and at locks' ends; between the floor's moves; between looks at every certificate in use. */
const LOOK = 1_000;
const FLOOR_STEP = 60_000;
const RECHECK = 60_000;

const FINE: RevocationVerdict = { refusal: null, grace: null };

/** Whom to trust, now: locks, posture reports, the latest time known, and what is revoked. Tells the gateway with every change. */
export class TrustKeeper {
  readonly locks: LockBook;
  readonly #parts: TrustParts;
  readonly #time: KnownTime;
  readonly #reports: Map<string, PostureReport>;
  readonly #timers: readonly NodeJS.Timeout[];
  #kept: number;
  #netdLocks = "";
  #complaint = "";
  #rechecking: Promise<number> | null = null;

  constructor(parts: TrustParts) {
    this.#parts = parts;
    const { store, audit, clock } = parts;
    this.#kept = store.floor();
    this.#time = new KnownTime(clock, this.#kept);
    this.#reports = new Map(store.postures().map((report) => [postureKey(report), report]));
    this.locks = new LockBook(store, audit, clock, () => this.#enforce());
    this.#netdLocks = this.#lockedInNetwork();
    this.#timers = [setInterval(() => this.#look(), LOOK), setInterval(() => this.recheckSoon(), RECHECK)];
  }

  close(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }

  state(): TrustState {
    return {
      authorities: [...this.#parts.authorities()],
      locks: [...this.locks.all],
      postures: [...this.#reports.values()],
      floor: this.#time.floor,
    };
  }

  /** The same, where nobody waits for it. */
  pushSoon(): void {
    this.push().catch((error: unknown) => this.#complain(error));
  }

  /** The site's snapshot as netd is to hold it. */
  inNetwork(snapshot: Snapshot): Snapshot {
    return withoutLocked(snapshot, this.locks.all);
  }

  /** Tells the gateway all of it, because something changed; how many sessions that ended, null where the gateway is away. */
  async push(): Promise<number | null> {
    try {
      return (await this.#parts.gateway.call(gatewayTrust, { trust: this.state() })).ended;
    } catch (error) {
      // It is told when it attaches, and opens nothing until then.
      if (error instanceof UnavailableError) return null;
      throw error;
    }
  }

  // --- revocation -----------------------------------------------------------------------------------------------------

  /** Whether a certificate is revoked. One of an authority that nobody answers for is not let in. */
  async check(certificate: CertificateInUse, groups: readonly string[]): Promise<RevocationVerdict> {
    for (const source of this.#parts.sources) {
      const verdict = await source.check(certificate, groups);
      if (verdict !== null) return verdict;
    }
    if (certificate.authority === null) return FINE;
    return {
      refusal: {
        code: "revocation-unknown",
        reason: `nobody knows whether certificate ${certificate.serialNumber} of authority ${certificate.authority} is revoked`,
        advice:
          "Look at how revocation is known of this authority: `niac authority show`, and trust in the site document.",
      },
      grace: null,
    };
  }

  /**
   * Looks at the certificates of all live sessions again, and ends those that are revoked; how many. To be called when anything about
   * revocation changed; calls in one turn are one. A source that is slow to answer delays its own certificates alone.
   */
  recheck(): Promise<number> {
    this.#rechecking ??= new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      this.#rechecking = null;
      return this.#recheck();
    });
    return this.#rechecking;
  }

  /** The same, where nobody waits for it. */
  recheckSoon(): void {
    this.recheck().catch((error: unknown) => this.#complain(error));
  }

  async #recheck(): Promise<number> {
    const { gateway } = this.#parts;
    if (!gateway.attached) return 0;
    const live = await gateway.call(gatewayCertificates, null);
    const alike = Map.groupBy(live, ({ certificate, groups }) =>
      JSON.stringify([certificate.authority, certificate.fingerprint, groups]),
    );
    const ended = await Promise.all(
      [...alike.values()].map(async (sessions) => {
        const [first] = sessions;
        if (first === undefined) return 0;
        try {
          const { refusal } = await this.check(first.certificate, first.groups);
          // That revocation cannot be known lets nobody new in; who is in stays until it is known.
          if (refusal?.code !== "revoked") return 0;
          const ids = sessions.map(({ session }) => session);
          const doom = { sessions: ids, stage: "certificate", reason: refusal.reason };
          return (await gateway.call(gatewayEndSessions, doom)).ended;
        } catch (error) {
          // What is no answer ends nobody: a source that hard-fails says so with a verdict.
          this.#complain(error);
          return 0;
        }
      }),
    );
    return ended.reduce((sum, each) => sum + each, 0);
  }

  // --- posture --------------------------------------------------------------------------------------------------------

  /** The latest; null: there is none. */
  reportOf(of: PostureSubject): PostureReport | null {
    return this.#reports.get(postureKey(of)) ?? null;
  }

  /** Takes a verified report; one that is not newer than the one known says nothing new. */
  async report(report: PostureReport): Promise<void> {
    const { store, audit, clock } = this.#parts;
    const key = postureKey(report);
    const before = this.#reports.get(key);
    if (before !== undefined && report.made <= before.made) return;
    const taken = { ...report, made: Math.min(report.made, report.received) };
    if (JSON.stringify(before?.facts) !== JSON.stringify(taken.facts)) {
      const { whose, detail } = postureWords(taken);
      const reason = `report by ${whose}: ${factsText(taken.facts)}`;
      await audit.append([{ time: clock.now(), kind: "trust", id: randomUUID(), reason, detail }], "now");
    }
    // A newer one may have come while this one was being recorded.
    const known = this.#reports.get(key);
    if (known !== undefined && taken.made <= known.made) return;
    store.keepPosture(taken, clock.now());
    this.#reports.set(key, taken);
    await this.push();
  }

  // --- time -----------------------------------------------------------------------------------------------------------

  /** What the clock says, and the latest time known; milliseconds since the epoch. */
  clock(): { now: number; floor: number } {
    return { now: this.#parts.clock.now(), floor: this.#time.floor };
  }

  /** Milliseconds by which the clock stands before the latest time known. */
  get clockBehind(): number {
    return this.#time.behind;
  }

  /** A time that something signed has proven to be past: a list of revocations, an answer of an authority. */
  known(time: number): void {
    this.#time.known(time);
    this.#moveFloor();
  }

  /** From now on the clock is believed; on record first. */
  async acceptClock(by: string): Promise<{ now: number; floor: number }> {
    const { audit } = this.#parts;
    const { now, floor } = this.clock();
    const reason = `${by} says that the clock is right: ${new Date(now).toISOString()}; the latest time known was ${new Date(floor).toISOString()}`;
    const detail = { action: "clock", before: floor };
    await audit.append([{ time: now, kind: "trust", id: randomUUID(), reason, detail }], "now");
    this.#time.accept();
    this.#moveFloor();
    return this.clock();
  }

  #look(): void {
    this.#time.look();
    if (Math.abs(this.#time.floor - this.#kept) >= FLOOR_STEP) this.#moveFloor();
    this.locks.expire(this.#time.sure()).catch((error: unknown) => this.#complain(error));
  }

  #moveFloor(): void {
    const { floor } = this.#time;
    if (floor === this.#kept) return;
    this.#kept = floor;
    this.#parts.gateway.notify(newFloor, { floor });
    try {
      this.#parts.store.keepFloor(floor);
    } catch (error) {
      this.#complain(error);
    }
  }

  // --------------------------------------------------------------------------------------------------------------------

  async #enforce(): Promise<{ ended: number | null; problems: string[] }> {
    const [ended, problem] = await Promise.all([this.push(), this.#enforceInNetwork()]);
    return { ended, problems: problem === null ? [] : [problem] };
  }

  /** netd is told where a lock is about what the kernel passes on by itself. */
  async #enforceInNetwork(): Promise<string | null> {
    const wanted = this.#lockedInNetwork();
    if (wanted === this.#netdLocks) return null;
    this.#netdLocks = wanted;
    return this.#parts.netd(this.inNetwork(this.#parts.site()));
  }

  #lockedInNetwork(): string {
    const about = this.locks.all.filter(({ kind }) => kind === "machine" || kind === "source");
    return JSON.stringify(about.map(({ kind, value }) => [kind, value]));
  }

  /** Says it once and not at every look. */
  #complain(error: unknown): void {
    const message = messageOf(error);
    if (message === this.#complaint) return;
    this.#complaint = message;
    this.#parts.log.error({ reason: message }, "whom to trust could not be kept up to date");
  }
}
