/**
 * The families of errors. Who reads a message is a person at a panel: `message` says what happened and to
 * which machine or person, with the value and the limit; `advice` says what to do about it.
 *
 * - PeerError: whoever is at the other end of a connection sent bad data. Ends that connection at most.
 * - UsageError: the caller, a person at a prompt or a document, asked for something that cannot be had.
 * - UnavailableError: something niac needs is away for now (full disk, control, a machine); trying again helps.
 * - BugError: niac itself is wrong. Never caught and carried on from.
 */
export abstract class NiacError extends Error {
  /** Stable, for programs: kebab-case, e.g. `mbap-length`. */
  readonly code: string;
  readonly advice: string | undefined;

  constructor(code: string, message: string, advice?: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.advice = advice;
  }
}

export class PeerError extends NiacError {
  override readonly name = "PeerError";
}

export class UsageError extends NiacError {
  override readonly name = "UsageError";
}

export class UnavailableError extends NiacError {
  override readonly name = "UnavailableError";
}

export class BugError extends NiacError {
  override readonly name = "BugError";
}

/** The code of a system error (`ENOENT`, `ECONNRESET`), or "" where there is none. */
export function systemCode(error: unknown): string {
  if (error instanceof Error && "code" in error && typeof error.code === "string") return error.code;
  return "";
}

/** What to show of anything thrown: the message alone, never a stack. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
