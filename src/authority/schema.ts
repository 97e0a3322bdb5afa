import type { Migration } from "../audit/index.ts";

/**
 * `plant`: one row once there is an authority. `authorities` and `certificates` only grow (appliances' certificates are swept once
 * they are long past). An authority's `key` is sealed, and gone once it signs no more. A certificate is good while its own row says
 * nothing else, its authority signs or has signed (`current`, `retiring`), and that one's parent does as well.
 */
export const createAuthority: Migration = {
  name: "authority",
  sql: `
    CREATE TABLE plant (
      one INTEGER PRIMARY KEY CHECK (one = 1),
      name TEXT NOT NULL,
      lifetimes TEXT NOT NULL,
      crl_url TEXT,
      created INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE authorities (
      id INTEGER PRIMARY KEY CHECK (id >= 1),
      role TEXT NOT NULL CHECK (role IN ('root', 'issuing', 'infrastructure')),
      parent INTEGER REFERENCES authorities (id),
      name TEXT NOT NULL UNIQUE,
      tier TEXT CHECK ((tier IS NULL) = (role <> 'issuing')),
      tenant TEXT,
      algorithm TEXT NOT NULL,
      certificate BLOB NOT NULL,
      fingerprint TEXT NOT NULL UNIQUE,
      serial TEXT NOT NULL UNIQUE,
      key BLOB,
      state TEXT NOT NULL CHECK (state IN ('current', 'retiring', 'retired', 'revoked')),
      created INTEGER NOT NULL,
      not_after INTEGER NOT NULL,
      revoked_at INTEGER,
      reason TEXT,
      CHECK ((parent IS NULL) = (role = 'root'))
    ) STRICT;
    CREATE UNIQUE INDEX authorities_current ON authorities (role, coalesce(tier, ''), coalesce(tenant, '')) WHERE state = 'current';
    CREATE TABLE certificates (
      serial TEXT PRIMARY KEY,
      fingerprint TEXT NOT NULL UNIQUE,
      authority INTEGER NOT NULL REFERENCES authorities (id),
      kind TEXT NOT NULL CHECK (kind IN ('laptop', 'appliance')),
      user TEXT NOT NULL,
      device TEXT NOT NULL,
      subject TEXT NOT NULL,
      not_before INTEGER NOT NULL,
      not_after INTEGER NOT NULL,
      issued_at INTEGER NOT NULL,
      issued_by TEXT NOT NULL,
      revoked_at INTEGER,
      revoked_by TEXT,
      reason TEXT
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX certificates_user ON certificates (user);
    CREATE INDEX certificates_device ON certificates (device);
    CREATE INDEX certificates_authority ON certificates (authority, not_after);
    CREATE INDEX certificates_revoked ON certificates (authority) WHERE revoked_at IS NOT NULL;
    CREATE TABLE own_lists (
      authority INTEGER PRIMARY KEY REFERENCES authorities (id),
      number INTEGER NOT NULL,
      der BLOB NOT NULL,
      this_update INTEGER NOT NULL,
      next_update INTEGER NOT NULL,
      entries INTEGER NOT NULL,
      revocations INTEGER NOT NULL
    ) STRICT;`,
};
