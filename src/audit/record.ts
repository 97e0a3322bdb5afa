/**
 * What is on record. One shape for every kind, with what does not apply left out, so that it can be searched by column
 * and exported without a case for each kind. JSON values only: it travels from gateway to control.
 */
import type { Table } from "../base/index.ts";

export const RECORD_KINDS = [
  "session.start",
  "session.end",
  /** A connection that became no session: certificate, service, policy, limits. */
  "session.refused",
  /** Who has a certificate asked what it may open, and was told; alike ones summed up. */
  "directory",
  /** An operation decided on: every write and every denial, one each. A permitted write's record is committed before it goes on. */
  "operation",
  /** What became of a permitted write. `ref` names its operation record. */
  "outcome",
  /** Permitted reads of one session, summed up over an interval. */
  "reads",
  /** Bytes that were no frame; `bytes` holds the first 300. */
  "malformed",
  /** The site document: applied, rolled back. */
  "site",
  /** Something an administrator did by command: ended a session, for one. */
  "admin",
  /** Packets refused, alike ones summed up: a scan is one record. */
  "flow.refused",
  /** What machines sent by the kernel alone (`forward`), summed up by machine and destination over an interval. */
  "flow",
  /** The ports and what stands behind them: a machine that changed its MAC address, one that nobody knows, an address claimed twice, a ruleset. */
  "network",
  /** Processes and machines: gateway connected or lost, control started, a machine's circuit opened. */
  "process",
  /** Certificates and who may have one: authorities, enrolments, issues, revocations, locks, posture, the appliance's own certificate. */
  "trust",
  /** The box itself: its key switch, cover and console, updates of its image, what is broken. */
  "box",
] as const;

export type RecordKind = (typeof RECORD_KINDS)[number];

export interface RecordIdentity {
  /** Left out for who has a certificate. source: a client known by its address alone; machine: a machine behind the appliance. */
  readonly kind?: "source" | "machine";
  /** Of a source or machine: its name in the site document, and all below is empty. */
  readonly user: string;
  readonly device: string | null;
  readonly groups: readonly string[];
  readonly role: string | null;
  readonly tier: string | null;
  readonly tenant: string | null;
  readonly serialNumber: string;
  readonly fingerprint: string;
}

export interface RecordRange {
  readonly table: Table;
  readonly address: number;
  readonly quantity: number;
}

export interface RecordOperation {
  readonly unit: number;
  readonly functionCode: number;
  /** -1 is left out. */
  readonly subFunction?: number;
  readonly reads?: RecordRange;
  readonly writes?: RecordRange & {
    readonly values?: readonly number[];
    readonly and?: number;
    readonly or?: number;
  };
  /** Functions 20 and 21; `values`: the registers written. */
  readonly files?: readonly {
    readonly file: number;
    readonly record: number;
    readonly length: number;
    readonly values?: readonly number[];
  }[];
  /** Hexadecimal, at most 253 bytes. */
  readonly data?: string;
}

/** What a writer hands in; time is when it happened, not when it was stored. */
export interface RecordDraft {
  /** Milliseconds since the epoch, UTC. */
  readonly time: number;
  readonly kind: RecordKind;
  /** Unique for what it describes, made by who hands it in; appending the same id twice stores it once. */
  readonly id: string;
  readonly session?: string;
  readonly identity?: RecordIdentity;
  /** What a refused certificate said of itself, unverified. */
  readonly presented?: {
    readonly subject: string;
    readonly serialNumber: string;
    readonly fingerprint: string;
  };
  /** `address:port` of who connects. */
  readonly source?: string;
  /** The machine it is about; of what a machine asks of others, the destination's name, and `identity` is the machine. */
  readonly machine?: string;
  readonly service?: string;
  readonly operation?: RecordOperation;
  readonly decision?: "permit" | "denial";
  /** Which stage refused: `certificate`, `service`, `grant`, `forbid`, `when`, `from`, `rate`, `function`, `address`, `value`, `limit`, `unrecorded`... */
  readonly stage?: string;
  /** The grant or forbid that decided, or came nearest. */
  readonly rule?: string;
  readonly reason?: string;
  /** The id of the record this one belongs to. */
  readonly ref?: string;
  /** Of `outcome`: `ok`, `exception`, `timeout`, `not-sent`, `unknown`. */
  readonly outcome?: string;
  /** Modbus exception code answered to the client. */
  readonly exception?: number;
  /** Of `malformed`: hexadecimal of at most 300 bytes. */
  readonly bytes?: string;
  /** Of `reads` and `session.end`: how many, by function code and range, and bytes both ways. */
  readonly counts?: Readonly<Record<string, number>>;
  /** Milliseconds covered by a summary or lasted by a session. */
  readonly duration?: number;
  /** The site document's version that decided. */
  readonly siteVersion?: number;
  /** Kind-specific extras, small and flat. */
  readonly detail?: Readonly<Record<string, string | number | boolean>>;
}

/** As stored. `index` starts at 0 and has no gaps; `origin` is the appliance's name. */
export interface AuditRecord extends RecordDraft {
  readonly origin: string;
  readonly index: number;
  /** When it was committed, milliseconds since the epoch: much later than `time` means that it was held back. */
  readonly stored: number;
}
