/** Posture reports, from the request to the answer: who may report, that no report takes the place of a newer one, and what is on record. */
import { isDeepStrictEqual } from "node:util";
import type { RecordDraft } from "../audit/index.ts";
import type { Identity } from "../identity/index.ts";
import {
  postureKey,
  type CertificateInUse,
  type PostureReport,
  type PostureSubject,
  type RevocationVerdict,
} from "../link/index.ts";
import type { Snapshot } from "../site/index.ts";
import type { PostureHandler } from "./est-server.ts";
import type { HttpReply } from "./http-reply.ts";
import { POSTURE_MEDIA, type PostureAnswer } from "../est/index.ts";
import type { PostureDevice, PostureIssuers } from "./posture-device.ts";
import { refusal } from "./posture-refusal.ts";
import { LAPTOP, readPostureReport } from "./posture-report.ts";
import { PostureTally } from "./posture-tally.ts";

/** Posture as the site document asks for it. */
export type PostureSite = Pick<Snapshot, "postures" | "trust">;

/** How a device stands to a requirement, as policy's Standing says it. */
export interface PostureStanding {
  readonly name: string;
  /** Milliseconds since the epoch; -Infinity: it does not meet it. */
  readonly until: number;
  readonly lack: string;
}

export interface PostureParts {
  site(): PostureSite;
  /** Every authority that issues clients' certificates; empty: the settings' files say whose are let in. */
  issuers(): PostureIssuers;
  /** The device that a certificate names, and whose, as sessions are judged by it; null: it names none. */
  deviceOf(identity: Identity): PostureDevice | null;
  /** The latest report of that device by that signer; null: there is none. */
  held(of: PostureSubject): PostureReport | null;
  /** Keeps a verified report that is newer than the one held, puts what it changes on record, and has sessions judged again. */
  keep(report: PostureReport): Promise<void>;
  /** To every requirement of the site document. */
  standings(of: PostureDevice): readonly PostureStanding[];
  /** Whether a certificate is revoked. */
  check(certificate: CertificateInUse, groups: readonly string[]): Promise<RevocationVerdict>;
  /** Resolves after the commit. */
  append(drafts: readonly RecordDraft[]): Promise<unknown>;
  /** Never behind the latest time known; milliseconds since the epoch. */
  now(): number;
}

/** A signed text has two content types (RFC 7515, section 9.2.1), and either says what it is. */
const MEDIA: readonly string[] = [POSTURE_MEDIA, "application/jose"];
/** Seconds between reports at least and at most. */
const OFTEN = 20;
const SELDOM = 86_400;

export class PostureIntake {
  readonly #parts: PostureParts;
  readonly #tally = new PostureTally();
  /** By postureKey: reports on one are taken one after the other, so that none overtakes a newer one. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(parts: PostureParts) {
    this.#parts = parts;
  }

  /** Rejects with an HttpRefusal for what is not taken, an UnavailableError where it cannot be kept or recorded now. */
  readonly handle: PostureHandler = async (identity, body, { header, peer }) => {
    const type = header("content-type")?.split(";", 1)[0]?.trim().toLowerCase();
    if (type === undefined || !MEDIA.includes(type)) {
      throw refusal("posture-type", 415, {
        message: `a report is sent as ${POSTURE_MEDIA}`,
        advice: `Set Content-Type: ${POSTURE_MEDIA}.`,
      });
    }
    const report = await readPostureReport(body, {
      identity,
      certificate: peer.leaf,
      device: identity && this.#parts.deviceOf(identity),
      signers: this.#parts.site().trust.postureSigners,
      issuers: this.#parts.issuers(),
      now: this.#parts.now(),
    });
    if (report.by === LAPTOP && identity !== null) await this.#checkRevocation(identity);
    await this.#inTurn(postureKey(report), () => this.#take(report));
    return this.#answer(report);
  };

  /** What is summed up and not yet on record; to be called before the end. */
  async close(): Promise<void> {
    const drafts = this.#tally.takeAll();
    if (drafts.length > 0) await this.#parts.append(drafts);
  }

  /** Else whoever holds a stolen key could go on saying that all is well with the laptop that replaced it. */
  async #checkRevocation({ authority, serialNumber, fingerprint, groups }: Identity): Promise<void> {
    const verdict = await this.#parts.check({ authority, serialNumber, fingerprint }, groups);
    if (verdict.refusal === null) return;
    const { reason: message, advice } = verdict.refusal;
    throw refusal("posture-revoked", 403, { message, advice });
  }

  async #take(report: PostureReport): Promise<void> {
    const { device, made, facts } = report;
    const held = this.#parts.held(report);
    const same = held !== null && isDeepStrictEqual(held.facts, facts);
    if (held !== null && made <= held.made) {
      // Its answer was lost, and it is sent again.
      if (made === held.made && same) return;
      throw refusal("posture-older", 409, {
        message: `the report is of ${new Date(made).toISOString()}, and there is one by the same signer of ${new Date(held.made).toISOString()}`,
        advice: "Make a new one. If it is new, the clock that it was made by was set back: wait, or set it.",
        recorded: `a posture report of ${device} that is not newer than the one by the same signer`,
      });
    }
    await this.#parts.keep(report);
    const drafts = same ? this.#tally.add(report) : this.#tally.take(report);
    if (drafts.length > 0) await this.#parts.append(drafts);
  }

  #answer(report: PostureReport): HttpReply {
    const { device, by, made } = report;
    const answer: PostureAnswer = {
      device,
      by,
      iat: seconds(this.#parts.held(report)?.made ?? made),
      again: pauseFor(this.#parts.site(), by),
      requirements: this.#parts.standings(report).map(({ name, until, lack }) => {
        const met = until > this.#parts.now();
        return { name, met, until: met ? seconds(until) : null, lack };
      }),
    };
    return { status: 200, type: "application/json", body: `${JSON.stringify(answer)}\n` };
  }

  async #inTurn(key: string, act: () => Promise<void>): Promise<void> {
    const before = this.#turns.get(key) ?? Promise.resolve();
    const turn = before.then(act);
    const over = turn.catch(() => {});
    this.#turns.set(key, over);
    try {
      await turn;
    } finally {
      if (this.#turns.get(key) === over) this.#turns.delete(key);
    }
  }
}

/** Seconds: a third of the shortest age that a report of this signer counts for, so that two may be lost. */
export function pauseFor({ postures }: Pick<PostureSite, "postures">, by: string): number | null {
  const counting = postures.filter(
    ({ signedBy }) => signedBy === "any" || (signedBy === LAPTOP) === (by === LAPTOP),
  );
  if (counting.length === 0) return null;
  const shortest = Math.min(...counting.map(({ maxAge }) => maxAge));
  return Math.min(SELDOM, Math.max(OFTEN, Math.floor(shortest / 3_000)));
}

function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1_000);
}
