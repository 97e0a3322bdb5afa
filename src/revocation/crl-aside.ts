import { Worker } from "node:worker_threads";
import { PeerError, UnavailableError } from "../base/index.ts";
import type { Judged, ListIssuer } from "./crl-judge.ts";

/** A list that is to be taken, or is the one held already, with its entries packed. Times are milliseconds since the epoch. */
export interface Aside extends Judged {
  /** SHA-256 of its DER, hexadecimal. */
  readonly hash: string;
  readonly number: bigint | null;
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  /** For packedEntries; none where the list is the one held. */
  readonly entries: { readonly bytes: Uint8Array<ArrayBuffer>; readonly count: number };
}

type Message =
  | { readonly told: Aside }
  | {
      readonly refused: {
        readonly code: string;
        readonly message: string;
        readonly advice: string | undefined;
      };
    };

/** Milliseconds a list may take; a million entries take some ten seconds on a slow core. */
const PATIENCE = 120_000;
/** Of the thread's own objects; the list's bytes lie outside of it. */
const MAX_HEAP_MB = 256;

/**
 * Reads, checks and packs a revocation list in a thread of its own, as 64 MiB of it take seconds, in which control must go on taking
 * records. `signers` are DER. Rejects with a PeerError where the list is not to be taken (see `judge` and x509's readCrl), an
 * UnavailableError where the thread could not do it or was stopped.
 */
export function readAside(
  der: Uint8Array,
  issuers: readonly ListIssuer<Uint8Array>[],
  now: number,
  signal: AbortSignal,
): Promise<Aside> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const worker = new Worker(new URL("crl-worker.ts", import.meta.url), {
      workerData: { der, issuers, now },
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
    });
    const give = (settle: () => void): void => {
      clearTimeout(late);
      signal.removeEventListener("abort", stop);
      settle();
      void worker.terminate();
    };
    const fail = (why: string): void =>
      give(() => reject(new UnavailableError("crl-reading", `a revocation list could not be read: ${why}`)));
    const stop = (): void => fail("niac is stopping");
    const late = setTimeout(() => fail(`it takes longer than ${PATIENCE / 1000} s`), PATIENCE);
    signal.addEventListener("abort", stop);
    worker.once("message", (message: Message) =>
      give(() => {
        if ("told" in message) return resolve(message.told);
        const { code, message: text, advice } = message.refused;
        reject(new PeerError(code, text, advice));
      }),
    );
    worker.once("error", (error: Error) => fail(error.message));
  });
}
