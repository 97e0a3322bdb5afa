/** The enrolment listener with all that stands behind it, put together; and what administrators ask of it. */
import { randomUUID } from "node:crypto";
import type { Database, RecordDraft } from "../audit/index.ts";
import { messageOf, type Clock } from "../base/index.ts";
import type { TenantAuthority } from "../identity/index.ts";
import type { OpenCode, WaitingRequest } from "../link/index.ts";
import type { SignIn } from "../site/index.ts";
import type { Issued, Issuer, Subject } from "../authority/index.ts";
import type { Keyring } from "../seal/index.ts";
import { Codes } from "./enrol-codes.ts";
import { Once } from "./enrol-once.ts";
import { EnrolRefusals } from "./enrol-refusals.ts";
import { Requests, type Label } from "./enrol-requests.ts";
import { checkSubject } from "./enrol-subject.ts";
import { Enrolment, type HeldCertificate } from "./enrolment.ts";
import { EstServer, type PostureHandler } from "./est-server.ts";
import { Attempts } from "./http-limits.ts";
import { HttpServer, type ServerMaterial } from "./http-server.ts";
import { ProviderKeys } from "./sign-in-keys.ts";

export interface EnrolServiceParts {
  readonly db: Database;
  readonly keyring: Keyring;
  readonly issuer: Issuer;
  /** Resolves after the commit. */
  append(drafts: readonly RecordDraft[]): Promise<unknown>;
  readonly clock: Clock;
  /** The latest time known, milliseconds since the epoch: a clock set back makes no old code or certificate good. */
  floor(): number;
  signIn(): SignIn | null;
  userOf(device: string): string | null;
  refuses(subject: Subject, certificate: HeldCertificate | null): string | null;
  /** Those that issue clients' certificates; empty: none are told apart. */
  authorities(): readonly TenantAuthority[];
  /** What certificates are issued for at present. */
  tiers(): readonly Label[];
  /** PEM: whose client certificates may verify. */
  clientCa(): string;
  crl(authority: string): Buffer | null;
  fingerprint(): string | null;
  readonly posture: PostureHandler | null;
  readonly log: { error(fields: object, message: string): void };
}

/** Milliseconds. */
const REPORT = 10_000;
/** Milliseconds that answers have at the end: an authority behind this one may take longer than a stop can. */
const LAST_ANSWERS = 3_000;
const WAITING_SETTING = "waiting";

export class EnrolService {
  readonly #parts: EnrolServiceParts;
  readonly #codes: Codes;
  readonly #requests: Requests;
  readonly #enrolment: Enrolment;
  readonly #refusals: EnrolRefusals;
  readonly #server: EstServer;
  #listener: HttpServer | null = null;
  #material: ServerMaterial | null = null;
  #timer: NodeJS.Timeout | null = null;
  /** Answers being made, and records on their way. */
  readonly #answers = new Set<Promise<unknown>>();
  readonly #notes = new Set<Promise<unknown>>();

  constructor(parts: EnrolServiceParts) {
    const { db, keyring, issuer, clock } = parts;
    this.#parts = parts;
    const once = new Once(db);
    this.#codes = new Codes(db, keyring, once);
    this.#requests = new Requests(db);
    this.#enrolment = new Enrolment({
      issuer,
      codes: this.#codes,
      requests: this.#requests,
      once,
      providerKeys: new ProviderKeys(() => clock.monotonic()),
      signIn: () => parts.signIn(),
      userOf: (device) => parts.userOf(device),
      refuses: (subject, certificate) => parts.refuses(subject, certificate),
      waitingAllowed: () => this.#waitingAllowed(),
      now: () => this.#now(),
    });
    this.#refusals = new EnrolRefusals((drafts) => this.#note(drafts), clock);
    this.#server = new EstServer({
      enrolment: this.#enrolment,
      attempts: new Attempts(),
      refusals: this.#refusals,
      authorities: () => parts.authorities(),
      crl: (authority) => parts.crl(authority),
      fingerprint: () => parts.fingerprint(),
      posture: parts.posture,
      monotonic: () => clock.monotonic(),
      waits: (id, source) =>
        this.#note([this.#draft(`a request for a certificate waits for approval: ${id}`, { source })]),
      fault: (error) => this.#fault(error),
    });
  }

  /** Resolves to the port. Rejects with an UnavailableError where the address cannot be had. */
  async open(host: string, port: number, material: ServerMaterial): Promise<number> {
    const listener = new HttpServer(
      {
        answer: (question) => tracked(this.#answers, this.#server.answer(question)),
        refused: (address, source, reason) =>
          this.#refusals.add(address, { source, stage: "request", reason }),
        fault: (error) => this.#fault(error),
      },
      material,
      this.#parts.clientCa(),
    );
    const given = await listener.listen(host, port);
    this.#listener = listener;
    this.#material = material;
    this.#timer = setInterval(() => this.#refusals.report(false), REPORT);
    this.#timer.unref();
    return given;
  }

  /** For connections from now on. Throws what OpenSSL says of unusable material, and goes on with what it had. */
  setMaterial(material: ServerMaterial): void {
    this.#listener?.setMaterial(material, this.#parts.clientCa());
    this.#material = material;
  }

  /** After `clientCa` changed. */
  trustChanged(): void {
    if (this.#material !== null) this.setMaterial(this.#material);
  }

  /** Resolves once what happened is on record; an answer that is still being made gets a moment to come to its end. */
  async close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    await this.#listener?.close();
    this.#listener = null;
    await within(LAST_ANSWERS, Promise.allSettled(this.#answers));
    this.#refusals.report(true);
    await Promise.all(this.#notes);
  }

  /** On record before it is told. `valid`: milliseconds. Throws a UsageError for a subject that nobody can be. */
  async makeCode(
    subject: Subject,
    valid: number,
    by: string,
  ): Promise<{ readonly id: number; readonly code: string; readonly expires: number }> {
    const now = this.#now();
    checkSubject(subject, this.#parts.tiers(), now);
    const made = this.#codes.make(subject, by, valid, now);
    const reason = `${by} makes one-time code ${made.id} for ${who(subject)}`;
    try {
      await this.#parts.append([
        this.#draft(`${reason}, good until ${new Date(made.expires).toISOString()}`),
      ]);
    } catch (error) {
      this.#codes.withdraw(made.id, now);
      throw error;
    }
    return made;
  }

  openCodes(): OpenCode[] {
    return this.#codes.open(this.#now());
  }

  async withdraw(id: number, by: string): Promise<void> {
    const { subject } = this.#codes.withdraw(id, this.#now());
    await this.#parts.append([this.#draft(`${by} withdraws one-time code ${id} for ${who(subject)}`)]);
  }

  waiting(): WaitingRequest[] {
    return this.#requests.waiting(this.#now());
  }

  /** Rejects with what the issuer refuses; the request then still waits. */
  async approve(id: string, subject: Subject, by: string): Promise<Issued> {
    checkSubject(subject, this.#parts.tiers(), this.#now());
    const reason = `${by} approves request ${id} for ${who(subject)}`;
    await this.#parts.append([this.#draft(reason)]);
    try {
      return await this.#enrolment.approve(id, subject, by);
    } catch (error) {
      this.#note([
        this.#draft(`the approval of request ${id} by ${by} came to nothing: ${messageOf(error)}`),
      ]);
      throw error;
    }
  }

  async deny(id: string, why: string, by: string): Promise<void> {
    this.#requests.deny(id, why, this.#now());
    await this.#parts.append([this.#draft(`${by} denies request ${id}: ${why}`)]);
  }

  /** `allowed` null: only asks. */
  async setWaiting(allowed: boolean | null, by: string): Promise<boolean> {
    if (allowed === null) return this.#waitingAllowed();
    const words = allowed ? "lets requests without credentials wait" : "refuses requests without credentials";
    await this.#parts.append([this.#draft(`${by} ${words}`)]);
    this.#parts.db
      .prepare("INSERT OR REPLACE INTO enrolment_settings (name, value) VALUES (?, ?)")
      .run(WAITING_SETTING, Buffer.of(allowed ? 1 : 0));
    return allowed;
  }

  #waitingAllowed(): boolean {
    const row = this.#parts.db
      .prepare<[string], { value: Buffer }>("SELECT value FROM enrolment_settings WHERE name = ?")
      .get(WAITING_SETTING);
    return row?.value[0] !== 0;
  }

  #now(): number {
    return Math.max(this.#parts.clock.now(), this.#parts.floor());
  }

  #draft(reason: string, more: Partial<RecordDraft> = {}): RecordDraft {
    return { time: this.#parts.clock.now(), kind: "trust", id: randomUUID(), reason, ...more };
  }

  #note(drafts: readonly RecordDraft[]): void {
    const note = this.#parts.append(drafts).catch((error: unknown) => {
      this.#parts.log.error({ reason: messageOf(error) }, "what happened at enrolment could not be recorded");
    });
    void tracked(this.#notes, note);
  }

  #fault(error: unknown): void {
    const stack = error instanceof Error ? error.stack : String(error);
    this.#parts.log.error({ stack }, "niac itself failed at an enrolment; please report this");
  }
}

async function within(milliseconds: number, what: Promise<unknown>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const enough = setTimeout(resolve, milliseconds);
  await Promise.race([what, promise]);
  clearTimeout(enough);
}

/** Among `all` until it is over. */
function tracked<T>(all: Set<Promise<unknown>>, one: Promise<T>): Promise<T> {
  all.add(one);
  const over = (): void => void all.delete(one);
  one.then(over, over);
  return one;
}

function who({ user, device, tier, tenant }: Subject): string {
  return `${user}, device ${device} (${tenant === null ? tier : `${tier}, tenant ${tenant}`})`;
}
