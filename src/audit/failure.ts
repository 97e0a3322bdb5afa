import { BugError, messageOf, systemCode, UnavailableError } from "../base/index.ts";

/**
 * What a failed commit means. `audit-full` and `audit-busy` (UnavailableError): nothing was stored, and trying again helps.
 * `audit-doubt` (BugError): whether it was stored cannot be told, or the database is damaged; the process has to stop.
 *
 * SQLite reports ENOSPC of a write as SQLITE_FULL, and of the growth of its shared index as SQLITE_IOERR_SHMSIZE; both come
 * before the commit is visible. ENOSPC from fsync comes as SQLITE_IOERR_FSYNC, as any other error of it does, and after a
 * failed fsync nobody knows what is on the disk: doubt.
 */
export function explainFailure(error: unknown, origin: string): UnavailableError | BugError {
  const code = systemCode(error);
  const cause = { cause: error };
  if (code === "SQLITE_FULL" || code === "SQLITE_IOERR_SHMSIZE") {
    return new UnavailableError(
      "audit-full",
      `the audit log of ${origin} is full: nothing can be recorded, so nothing that must be recorded is allowed`,
      "Free some space on the storage of its database. The log goes on by itself as soon as there is room.",
      cause,
    );
  }
  if (code.startsWith("SQLITE_BUSY")) {
    return new UnavailableError(
      "audit-busy",
      `the audit log of ${origin} is locked by another process; nothing was recorded`,
      "Find what else has the database open for writing; niac control must be alone in that.",
      cause,
    );
  }
  return inDoubt(`the audit log of ${origin} is in doubt: ${messageOf(error)}${code && ` (${code})`}`, error);
}

/** Throw or report this where the log cannot be trusted to be whole. */
export function inDoubt(message: string, cause?: unknown): BugError {
  return new BugError(
    "audit-doubt",
    message,
    "niac stops rather than go on. Check the storage for errors and keep a copy of the database; started again, it checks the log and goes on if that is whole.",
    { cause },
  );
}
