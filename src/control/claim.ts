import { createHash, timingSafeEqual } from "node:crypto";
import type { AuditLog } from "../audit/index.ts";
import { UnavailableError, UsageError, type Channel, type Clock } from "../base/index.ts";
import { readCode } from "../enrolment/index.ts";
import { claimRenew, claimShow, claimVerify, type Claim } from "../link/index.ts";
import { identityDraft, type BoxIdentity } from "./identity.ts";
import { boxDraft } from "./panel-words.ts";

/** Wrong codes that are looked at in a span of time, in milliseconds: 80 bits are not guessed, and the record must not fill with trying. */
const MOST_WRONG = 5;
const SPAN = 10 * 60_000;

/** What is asked of the claim code. Nothing of the code itself is ever on record or in a log. */
export class ClaimDesk {
  readonly #identity: BoxIdentity;
  readonly #audit: Pick<AuditLog, "append">;
  readonly #clock: Clock;
  readonly #origin: string;
  /** When wrong codes were looked at lately, by a clock that runs steadily. */
  #wrong: number[] = [];

  constructor(identity: BoxIdentity, audit: Pick<AuditLog, "append">, clock: Clock, origin: string) {
    this.#identity = identity;
    this.#audit = audit;
    this.#clock = clock;
    this.#origin = origin;
  }

  /** Answers one command's channel. */
  serve(channel: Channel): void {
    channel.handle(claimShow, ({ by }) => this.show(by));
    channel.handle(claimRenew, ({ by }) => this.renew(by));
    channel.handle(claimVerify, async ({ code, by }) => ({ right: await this.verify(code, by) }));
  }

  async show(by: string): Promise<Claim> {
    const { code, made } = await this.#identity.code();
    await this.#record("claim-shown", `${by} has the claim code shown`);
    return this.#claim(code, made);
  }

  async renew(by: string): Promise<Claim> {
    const fresh = await this.#identity.newCode();
    await this.#record(
      "claim-renewed",
      `${by} has a new claim code made: the one of before is good no more`,
      () => fresh.change(),
    );
    return this.#claim(fresh.code, fresh.made);
  }

  /** Throws a UsageError for what is no code, an UnavailableError after too many wrong ones. */
  async verify(typed: string, by: string): Promise<boolean> {
    const given = readCode(typed);
    if (given === null)
      throw new UsageError(
        "claim-form",
        "this is no claim code",
        "It has 16 letters and digits in groups of four, as on the box's label.",
      );
    const now = this.#clock.monotonic();
    this.#wrong = this.#wrong.filter((at) => now - at < SPAN);
    if (this.#wrong.length >= MOST_WRONG)
      throw new UnavailableError(
        "claim-tries",
        `${MOST_WRONG} wrong claim codes were tried within ${SPAN / 60_000} minutes: none is looked at now`,
        "Try again later. Read the code off the box's label, or at its console: niac claim show.",
      );
    // Counted before it is looked at: of many at once, no more than the bound are.
    this.#wrong.push(now);
    const { code } = await this.#identity.code();
    const right = timingSafeEqual(digest(given), digest(code.replaceAll("-", "")));
    if (right) this.#wrong = this.#wrong.filter((at) => at !== now);
    const text = right ? `${by} showed the claim code` : `${by} tried a claim code that is not this box's`;
    await this.#record("claim-verified", text, undefined, { right });
    return right;
  }

  async #claim(claimCode: string, made: number): Promise<Claim> {
    const { fingerprint, words } = await this.#identity.open();
    return { origin: this.#origin, fingerprint, words, claimCode, made };
  }

  async #record(
    action: string,
    text: string,
    change?: () => void,
    detail: Readonly<Record<string, boolean>> = {},
  ): Promise<void> {
    // Where this is what the identity was made for; else it is on record already.
    const made = identityDraft(await this.#identity.open());
    await this.#audit.append([made, boxDraft(this.#clock.now(), action, text, detail)], "now", change);
  }
}

function digest(code: string): Buffer {
  return createHash("sha256").update(code, "latin1").digest();
}
