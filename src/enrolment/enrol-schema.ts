import type { Migration } from "../audit/index.ts";

/** What is remembered of enrolments. No code and no token is in it, only what cannot be turned back into one. */
export const createEnrolment: Migration = {
  name: "enrolment",
  sql: `
    CREATE TABLE enrolment_codes (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      -- HMAC-SHA256 of the code.
      hash BLOB NOT NULL UNIQUE,
      subject TEXT NOT NULL,
      made_by TEXT NOT NULL,
      expires_at INTEGER NOT NULL
    ) STRICT;
    -- Codes and tokens that were used, each once, for one key. certificate is NULL from when issuing began until it is done.
    CREATE TABLE enrolment_uses (
      credential BLOB PRIMARY KEY,
      key BLOB NOT NULL,
      used_at INTEGER NOT NULL,
      forget_at INTEGER NOT NULL,
      certificate BLOB
    ) STRICT;
    -- One for each key that asked without credentials.
    CREATE TABLE enrolment_requests (
      id TEXT PRIMARY KEY,
      key BLOB NOT NULL UNIQUE,
      request BLOB NOT NULL,
      source TEXT NOT NULL,
      tier TEXT NOT NULL,
      tenant TEXT,
      made_at INTEGER NOT NULL,
      asked_at INTEGER NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('waiting', 'approved', 'denied')),
      reason TEXT,
      certificate BLOB
    ) STRICT;
    CREATE TABLE enrolment_settings (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;`,
};
