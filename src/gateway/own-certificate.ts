/**
 * The gateway's own certificate, where the authority issues it: a fresh key in memory at every rotation, and a certificate that
 * lives three rotations, so that a renewal may fail for two of them before anybody notices at a machine. A key never leaves this
 * process, and the one before is dropped with its certificate.
 */
import { messageOf, UnavailableError, type Clock } from "../base/index.ts";
import type { OwnNames } from "../link/index.ts";
import { generateKey, makeName, makeRequest } from "../x509/index.ts";

/** PEM. */
export interface OwnPair {
  readonly certificate: string;
  readonly key: string;
}

/** What control gives for a request; the certificate with its chain is PEM. */
export interface Certified {
  readonly certificate: string;
  readonly notBefore: number;
  readonly notAfter: number;
}

/** How it stands; null `notAfter`: there has been none yet. `problem`: of the last attempt, null where it succeeded. */
export interface OwnState {
  readonly notAfter: number | null;
  readonly problem: string | null;
}

export interface OwnHost {
  readonly clock: Clock;
  /** Has a PKCS#10 request (DER) signed. */
  certify(request: Buffer): Promise<Certified>;
  /** Puts new material into use; throws or rejects, and leaves the old in use, where it cannot be used. */
  install(pair: OwnPair): void | Promise<void>;
  /** After every attempt. `first`: the first failure after a success, or the first success after failures. */
  tell(state: OwnState, first: boolean): void;
}

export interface OwnWish {
  readonly names: OwnNames;
  /** Milliseconds between rotations. */
  readonly rotation: number;
  /** PEM of whom the others trust: where that changes, a certificate from the new authority is due. */
  readonly authorities: string;
}

/** Milliseconds until the first try after a failure; it doubles from there to a sixth of a rotation. */
const SOONEST = 1_000;
const SHARE = 6;
/** Milliseconds between looks at the clock at most: longer timers overflow, and a clock that was set is seen soon. */
const LOOK = 60_000;

/** Milliseconds until try number `failures` + 1, spread over half of it so that boxes which failed together do not try together. */
export function backOff(failures: number, rotation: number, random: number): number {
  const most = Math.min(SOONEST * 2 ** Math.min(failures - 1, 30), rotation / SHARE);
  return most / 2 + (most / 2) * random;
}

export class OwnCertificate {
  readonly #host: OwnHost;
  #wish: OwnWish | null = null;
  #state: OwnState = { notAfter: null, problem: null };
  #failures = 0;
  #turning = false;
  #stopped = false;
  #timer: NodeJS.Timeout | null = null;
  /** Of the monotonic clock. */
  #due = 0;
  /** What the wall clock was ahead of the monotonic one when the certificate was made. */
  #ahead = 0;

  constructor(host: OwnHost) {
    this.#host = host;
  }

  get state(): OwnState {
    return this.#state;
  }

  /**
   * What is wished from now on; another wish than the last is fulfilled at once, and so is the same one where its last attempt failed. Null: none
   * is made any more.
   */
  wish(wish: OwnWish | null): void {
    const changed = !same(this.#wish, wish);
    this.#wish = wish;
    if (changed || this.#failures > 0) this.rotate();
  }

  /** Makes a new one now. */
  rotate(): void {
    if (!this.#turning && !this.#stopped && this.#wish !== null) void this.#turn();
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer) clearTimeout(this.#timer);
  }

  async #turn(): Promise<void> {
    this.#turning = true;
    for (let wish = this.#wish; wish !== null && !this.#stopped; wish = this.#wish) {
      const problem = await this.#attempt(wish);
      // Other names were wished for meanwhile: whatever came of these is of no interest.
      if (!same(wish, this.#wish)) continue;
      this.#settle(wish, problem);
      break;
    }
    this.#turning = false;
  }

  /** The words for what went wrong, or null. */
  async #attempt({ names }: OwnWish): Promise<string | null> {
    try {
      const { pair, notAfter } = await freshPair(names, (request) => this.#host.certify(request));
      if (this.#stopped) return null;
      await this.#host.install(pair);
      this.#state = { notAfter, problem: null };
      return null;
    } catch (error) {
      return messageOf(error);
    }
  }

  #settle({ rotation }: OwnWish, problem: string | null): void {
    if (this.#stopped) return;
    const { clock } = this.#host;
    const failed = this.#failures > 0;
    this.#failures = problem === null ? 0 : this.#failures + 1;
    this.#state = { notAfter: this.#state.notAfter, problem };
    this.#ahead = clock.now() - clock.monotonic();
    const pause = problem === null ? rotation : backOff(this.#failures, rotation, Math.random());
    this.#due = clock.monotonic() + pause;
    this.#host.tell(this.#state, failed === (problem === null));
    this.#wait();
  }

  #wait(): void {
    if (this.#timer) clearTimeout(this.#timer);
    const left = Math.max(0, this.#due - this.#host.clock.monotonic());
    this.#timer = setTimeout(() => this.#look(), Math.min(left, LOOK));
  }

  #look(): void {
    const { clock } = this.#host;
    const jump = Math.abs(clock.now() - clock.monotonic() - this.#ahead);
    // A certificate made by a clock that has been set since may not be valid any more, or not yet.
    if (clock.monotonic() >= this.#due || jump > (this.#wish?.rotation ?? 0) / SHARE) this.rotate();
    else this.#wait();
  }
}

function same(one: OwnWish | null, other: OwnWish | null): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

async function freshPair(
  names: OwnNames,
  certify: OwnHost["certify"],
): Promise<{ pair: OwnPair; notAfter: number }> {
  if (names.commonName === "") {
    throw new UnavailableError(
      "no-names",
      "control has not said yet what the appliance's certificate is for",
    );
  }
  const key = await generateKey("p256");
  const altNames = [...names.dns.map((dns) => ({ dns })), ...names.ip.map((ip) => ({ ip }))];
  const request = makeRequest({ subject: makeName([["CN", names.commonName]]), altNames }, key);
  const { certificate, notAfter } = await certify(request);
  const pem = key.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  return { pair: { certificate, key: pem }, notAfter };
}
