import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ExecutionContext } from "ava";
import {
  AuditLog,
  openDatabase,
  type AuditLogOptions,
  type Database,
  type RecordDraft,
  type RecordIdentity,
} from "../../../src/audit/index.ts";

export const ALICE: RecordIdentity = {
  user: "alice",
  device: "laptop-7",
  groups: ["engineers"],
  role: "engineer",
  tier: null,
  tenant: "plant-1",
  serialNumber: "0a1b",
  fingerprint: "ab".repeat(32),
};

let made = 0;

/** A permitted write, other fields on top of it; every one has an id of its own. */
export function draft(fields: Partial<RecordDraft> = {}): RecordDraft {
  made += 1;
  return {
    time: 1_780_000_000_000 + made,
    kind: "operation",
    id: `id-${made}`,
    session: "session-1",
    identity: ALICE,
    machine: "press-4",
    service: "plc",
    decision: "permit",
    rule: "recipes",
    operation: {
      unit: 1,
      functionCode: 16,
      writes: { table: "holdingRegisters", address: 40, quantity: 2, values: [5, 6] },
    },
    ...fields,
  };
}

/** Drafts without anything that can be left out. */
export function plain(count: number, fields: Partial<RecordDraft> = {}): RecordDraft[] {
  return Array.from({ length: count }, () => {
    const { time, id } = draft();
    return { time, id, kind: "process", ...fields };
  });
}

/** A directory of its own, gone with the test. */
export function directory(t: ExecutionContext): string {
  const path = mkdtempSync(join(tmpdir(), "niac-audit-"));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

export interface Opened {
  readonly path: string;
  readonly db: Database;
  readonly log: AuditLog;
}

export function openLog(t: ExecutionContext, options: AuditLogOptions = {}): Opened {
  const path = join(directory(t), "niac.db");
  const db = openDatabase(path);
  t.teardown(() => db.close());
  return { path, db, log: new AuditLog(db, "niac-1", options) };
}
