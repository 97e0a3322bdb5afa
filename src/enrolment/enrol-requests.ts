import { randomBytes } from "node:crypto";
import type { Database } from "../audit/index.ts";
import { UsageError } from "../base/index.ts";
import type { WaitingRequest } from "../link/index.ts";
import { nameText, readRequest, type CertificationRequest } from "../x509/index.ts";
import { type Tier, TIERS } from "../authority/index.ts";
import { keyWords } from "../est/index.ts";
import { keyHash } from "./enrol-once.ts";
import { sourceOf } from "./http-limits.ts";
import { HttpRefusal } from "./http-reply.ts";

const MAX_WAITING = 100;
const MAX_WAITING_PER_SOURCE = 5;
/** Milliseconds without a word from the laptop, or since it was decided, after which a request is forgotten. */
const FORGET = 7 * 86_400_000;
const FORGET_WAITING = 86_400_000;
const ID_BYTES = 4;

interface Row {
  id: string;
  request: Buffer;
  source: string;
  tier: string;
  tenant: string | null;
  made_at: number;
  asked_at: number;
  state: "waiting" | "approved" | "denied";
  reason: string | null;
  certificate: Buffer | null;
}

export interface Label {
  readonly tier: Tier;
  readonly tenant: string | null;
}

export type Standing =
  | { readonly state: "new" | "waiting"; readonly id: string }
  | { readonly state: "denied"; readonly reason: string }
  | { readonly state: "approved"; readonly certificate: Buffer };

/** Requests without credentials, which wait until an administrator has compared the key's words with the person at the laptop. */
export class Requests {
  readonly #db: Database;
  /** Those that are being approved. */
  readonly #taken = new Set<string>();

  constructor(db: Database) {
    this.#db = db;
  }

  /**
   * How it stands with the request of this key; where nobody knew of it, it waits from now on. Throws an HttpRefusal (503) where
   * too many wait.
   */
  ask(request: CertificationRequest, der: Buffer, label: Label, address: string, now: number): Standing {
    const key = keyHash(request.publicKeyInfo);
    this.#forget(now);
    const row = this.#db.prepare<[Buffer], Row>("SELECT * FROM enrolment_requests WHERE key = ?").get(key);
    if (row === undefined) return { state: "new", id: this.#add(key, der, label, address, now) };
    if (row.state === "denied") return { state: "denied", reason: row.reason ?? "" };
    if (row.certificate !== null) return { state: "approved", certificate: row.certificate };
    this.#db.prepare("UPDATE enrolment_requests SET asked_at = ? WHERE id = ?").run(now, row.id);
    return { state: "waiting", id: row.id };
  }

  /** Those that wait, the oldest first. */
  waiting(now: number): WaitingRequest[] {
    this.#forget(now);
    return this.#db
      .prepare<[], Row>("SELECT * FROM enrolment_requests WHERE state = 'waiting' ORDER BY made_at, id")
      .all()
      .map(view);
  }

  /** The request, which nobody else decides on until it is released. Throws a UsageError where no such request waits. */
  take(id: string): CertificationRequest {
    const request = readRequest(this.#row(id).request);
    this.#taken.add(id);
    return request;
  }

  release(id: string): void {
    this.#taken.delete(id);
  }

  approve(id: string, certificate: Buffer, now: number): void {
    this.#decide(id, "approved", now, null, certificate);
  }

  deny(id: string, reason: string, now: number): void {
    this.#row(id);
    this.#decide(id, "denied", now, reason, null);
  }

  #decide(
    id: string,
    state: Row["state"],
    now: number,
    reason: string | null,
    certificate: Buffer | null,
  ): void {
    this.#db
      .prepare(
        "UPDATE enrolment_requests SET state = ?, asked_at = ?, reason = ?, certificate = ? WHERE id = ?",
      )
      .run(state, now, reason, certificate, id);
  }

  #row(id: string): Row {
    const row = this.#db
      .prepare<[string], Row>("SELECT * FROM enrolment_requests WHERE id = ? AND state = 'waiting'")
      .get(id);
    if (row !== undefined && !this.#taken.has(id)) return row;
    throw new UsageError("no-request", `no request ${id} waits`, "See `niac enrolment requests`.");
  }

  #add(key: Buffer, der: Buffer, label: Label, address: string, now: number): string {
    const source = sourceOf(address);
    const count = (sql: string, ...values: string[]): number =>
      this.#db.prepare<string[], { count: number }>(sql).get(...values)?.count ?? 0;
    const all = "SELECT count(*) AS count FROM enrolment_requests WHERE state = 'waiting'";
    if (count(`${all} AND source = ?`, source) >= MAX_WAITING_PER_SOURCE) {
      throw full(
        `${MAX_WAITING_PER_SOURCE} requests from ${source} wait for approval, the limit for one source`,
      );
    }
    if (count(all) >= MAX_WAITING) {
      throw full(`${MAX_WAITING} requests wait for approval, the limit of this appliance`);
    }
    const id = randomBytes(ID_BYTES).toString("hex");
    this.#db
      .prepare(
        "INSERT INTO enrolment_requests (id, key, request, source, tier, tenant, made_at, asked_at, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'waiting')",
      )
      .run(id, key, der, source, label.tier, label.tenant, now, now);
    return id;
  }

  #forget(now: number): void {
    this.#db
      .prepare("DELETE FROM enrolment_requests WHERE asked_at < CASE state WHEN 'waiting' THEN ? ELSE ? END")
      .run(now - FORGET_WAITING, now - FORGET);
  }
}

function full(message: string): HttpRefusal {
  const advice = "Ask the plant admin to decide on them (niac enrolment requests), or for a one-time code.";
  const headers = { "Retry-After": "300" };
  return new HttpRefusal("approval-full", { status: 503, stage: "approval", message, advice, headers });
}

function view(row: Row): WaitingRequest {
  const request = readRequest(row.request);
  const { dns, ip, uri, email } = request.altNames;
  const kind = request.keyAlgorithm === "rsa" ? `rsa ${request.rsaBits ?? 0}` : request.keyAlgorithm;
  return {
    id: row.id,
    words: keyWords(request.publicKeyInfo),
    subject: nameText(request.subject),
    names: [...uri, ...dns, ...ip, ...email],
    key: kind,
    source: row.source,
    tier: TIERS.find((tier) => tier === row.tier) ?? "managed",
    tenant: row.tenant,
    since: row.made_at,
    asked: row.asked_at,
  };
}
