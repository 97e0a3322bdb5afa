import { messageOf, NiacError, PeerError, type Clock } from "../base/index.ts";
import { waitForNext } from "./crl-schedule.ts";
import { exchange, type Told } from "./outside-http.ts";

/** Bytes of a list, as x509 takes them: a million entries are some 40 MB. */
export const MAX_CRL_LENGTH = 64 * 1024 * 1024;
/** Milliseconds. 64 MiB in two minutes are 4.5 Mbit/s. */
const TIMEOUT = 120_000;
const IDLE = 15_000;

export interface FetcherOptions {
  readonly url: string;
  /** Milliseconds between fetches. */
  readonly every: number;
  readonly clock: Clock;
  /** Of the list held, milliseconds since the epoch; null: none is. */
  readonly nextUpdate: () => number | null;
  /** Rejects where the list is not one to be taken. */
  readonly take: (bytes: Buffer) => Promise<void>;
  /** Told after each fetch that failed, and of the first that did not. */
  readonly told: (problem: NiacError | null) => void;
}

export interface LastFetch {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Null: all went well. */
  readonly problem: string | null;
}

/** Fetches one list now and then, from when it is started until it is stopped. */
export class CrlFetcher {
  readonly #options: FetcherOptions;
  readonly #stopped = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #running: Promise<void> | null = null;
  /** Of the list taken last from here: what the server is asked to compare with. */
  #etag: string | null = null;
  #lastModified: string | null = null;
  last: LastFetch | null = null;

  constructor(options: FetcherOptions) {
    this.#options = options;
  }

  start(): void {
    void this.refresh();
  }

  stop(): void {
    this.#stopped.abort();
    clearTimeout(this.#timer);
  }

  /** Fetches now, or waits for the fetch that runs; resolves when it is over, whatever came of it: see `last`. */
  refresh(): Promise<void> {
    this.#running ??= this.#fetch().finally(() => {
      this.#running = null;
      this.#schedule();
    });
    return this.#running;
  }

  async #fetch(): Promise<void> {
    const { clock, told } = this.#options;
    clearTimeout(this.#timer);
    try {
      await this.#ask();
      if (this.#failures > 0) told(null);
      this.#failures = 0;
      this.last = { at: clock.now(), problem: null };
    } catch (error) {
      if (this.#stopped.signal.aborted) return;
      this.#failures += 1;
      this.last = { at: clock.now(), problem: messageOf(error) };
      // What is no error of a family is a bug, and still no reason to stop fetching: it is told with its message.
      told(error instanceof NiacError ? error : new PeerError("outside-list", messageOf(error)));
    }
  }

  async #ask(): Promise<void> {
    const { url, take, nextUpdate } = this.#options;
    // Without a list there is nothing that could be unchanged.
    const compare = nextUpdate() !== null;
    const headers = {
      Accept: "application/pkix-crl, */*",
      ...(compare && this.#etag !== null ? { "If-None-Match": this.#etag } : {}),
      ...(compare && this.#lastModified !== null ? { "If-Modified-Since": this.#lastModified } : {}),
    };
    const asked = { url, headers, body: null, limit: MAX_CRL_LENGTH, timeout: TIMEOUT, idle: IDLE };
    const told = await exchange(asked, this.#stopped.signal);
    if (told.status === 304 && compare) return;
    if (told.status !== 200) throw refused(url, told);
    await take(told.body);
    this.#etag = told.etag;
    this.#lastModified = told.lastModified;
  }

  #schedule(): void {
    if (this.#stopped.signal.aborted) return;
    const { clock, every, nextUpdate } = this.#options;
    const state = { now: clock.now(), every, nextUpdate: nextUpdate(), failures: this.#failures };
    this.#timer = setTimeout(() => void this.refresh(), waitForNext(state, Math.random()));
    this.#timer.unref();
  }
}

function refused(url: string, { status }: Told): PeerError {
  return new PeerError(
    "outside-answer",
    `${new URL(url).host} answers ${status} when it is asked for the revocation list`,
    "Check the list's address in the site document, and the server.",
  );
}
