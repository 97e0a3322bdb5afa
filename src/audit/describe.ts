import { canonicalJson } from "./canonical.ts";
import type { AuditRecord, RecordOperation, RecordRange } from "./record.ts";

/** Puts an operation into words; what it returns is made printable by the caller. */
export type DescribeOperation = (operation: RecordOperation) => string;

/** MODBUS Application Protocol V1.1b3, section 6. */
const FUNCTIONS: Readonly<Record<number, string>> = {
  1: "read coils",
  2: "read discrete inputs",
  3: "read holding registers",
  4: "read input registers",
  5: "write single coil",
  6: "write single register",
  7: "read exception status",
  8: "diagnostics",
  11: "get comm event counter",
  12: "get comm event log",
  15: "write multiple coils",
  16: "write multiple registers",
  17: "report server id",
  20: "read file record",
  21: "write file record",
  22: "mask write register",
  23: "read/write multiple registers",
  24: "read FIFO queue",
  43: "encapsulated interface",
};

const TABLE_WORDS = {
  coils: "coil",
  discreteInputs: "discrete input",
  holdingRegisters: "holding register",
  inputRegisters: "input register",
} as const;

const OUTCOMES: Readonly<Record<string, string>> = {
  ok: "done by the machine",
  exception: "answered with an exception",
  timeout: "no answer in time; the machine may have done it",
  "not-sent": "not sent to the machine",
  unknown: "unknown whether the machine did it",
};

const TOLD_BY_REASON: ReadonlySet<string> = new Set([
  "site",
  "admin",
  "process",
  "flow.refused",
  "flow",
  "network",
  "trust",
  "box",
]);

/** Values shown of one write; the long form shows all. */
const VALUES_SHOWN = 8;

/** What happened, in words and without who and where. Holds text as recorded: make it printable before a terminal sees it. */
export function describeRecord(record: AuditRecord, describe: DescribeOperation = describeOperation): string {
  switch (record.kind) {
    case "session.start":
      return "session opened";
    case "session.end":
      return `session ended${lasting(" after", record)}${after(": ", summed(record.counts))}`;
    case "session.refused":
      return record.presented === undefined ? "refused" : `refused, presented ${record.presented.subject}`;
    case "directory":
      return "asked what it may open";
    case "operation":
      return record.operation === undefined ? "operation" : describe(record.operation);
    case "outcome":
      return outcome(record);
    case "reads":
      return `${readTimes(record.counts)}${lasting(", in", record)}`;
    case "malformed":
      return record.bytes === undefined ? "malformed frame" : `malformed frame ${record.bytes}`;
    case "site":
    case "admin":
    case "process":
    case "flow.refused":
    case "flow":
    case "network":
    case "trust":
    case "box":
      return sentence(record);
  }
}

/** Kinds whose reason is what happened, and not why. */
export function reasonIsWhat({ kind }: AuditRecord): boolean {
  return TOLD_BY_REASON.has(kind);
}

function sentence(record: AuditRecord): string {
  const { kind, reason, siteVersion, detail } = record;
  const version = kind === "site" && siteVersion !== undefined ? `version ${siteVersion}` : "";
  const more = [version, extras(detail)].filter((part) => part !== "").join(", ");
  return more === "" ? (reason ?? kind) : `${reason ?? kind} (${more})`;
}

/** The built-in words for an operation; addresses count from 0. */
export function describeOperation(operation: RecordOperation): string {
  const { functionCode, subFunction, unit, reads, writes, files, data } = operation;
  const name = FUNCTIONS[functionCode] ?? "unknown function";
  const parts = [subFunction === undefined ? name : `${name} ${subFunction}`];
  if (writes !== undefined) parts.push(addresses(writes) + written(writes));
  if (reads !== undefined)
    parts.push(writes === undefined ? addresses(reads) : `reading ${addresses(reads)}`);
  for (const { file, record, length, values } of files ?? []) {
    parts.push(
      `file ${file} record ${record} length ${length}${values === undefined ? "" : valueText(values)}`,
    );
  }
  if (data !== undefined && data !== "") parts.push(`data ${data}`);
  return `${parts.join(", ")} (function ${functionCode}, unit ${unit})`;
}

function addresses({ table, address, quantity }: RecordRange): string {
  const word = TABLE_WORDS[table];
  return quantity === 1 ? `${word} ${address}` : `${word}s ${address}..${address + quantity - 1}`;
}

function written({ values, and, or }: NonNullable<RecordOperation["writes"]>): string {
  if (values !== undefined) return valueText(values);
  return and === undefined || or === undefined ? "" : ` and 0x${and.toString(16)} or 0x${or.toString(16)}`;
}

function valueText(values: readonly number[]): string {
  const more = values.length > VALUES_SHOWN ? `, … ${values.length} values` : "";
  return ` = ${values.slice(0, VALUES_SHOWN).join(", ")}${more}`;
}

function outcome(record: AuditRecord): string {
  const words = OUTCOMES[record.outcome ?? "unknown"] ?? `outcome ${record.outcome}`;
  return record.exception === undefined
    ? words
    : `${words} ${record.exception.toString(16).padStart(2, "0").toUpperCase()}`;
}

/** Milliseconds too few to mean anything are left out. */
function lasting(word: string, { duration }: AuditRecord): string {
  return duration === undefined || duration < 50 ? "" : `${word} ${(duration / 1_000).toFixed(1)} s`;
}

const SUMS: Readonly<Record<string, readonly [one: string, many: string]>> = {
  reads: ["read", "reads"],
  writes: ["write", "writes"],
  denials: ["denial", "denials"],
  bytesIn: ["byte in", "bytes in"],
  bytesOut: ["byte out", "bytes out"],
};

/** `3 writes, 9 bytes in`; what is 0 is left out. */
function summed(counts: AuditRecord["counts"]): string {
  return Object.entries(counts ?? {})
    .filter(([, count]) => count !== 0)
    .toSorted(([a], [b]) => rank(a) - rank(b))
    .map(([what, count]) => `${count} ${SUMS[what]?.[count === 1 ? 0 : 1] ?? what}`)
    .join(", ");
}

function rank(what: string): number {
  const at = Object.keys(SUMS).indexOf(what);
  return at < 0 ? Object.keys(SUMS).length : at;
}

/** `read input registers 0..3 (unit 1) 12 times, ...`: the keys are the gateway's own words for what was read. */
function readTimes(counts: AuditRecord["counts"]): string {
  const parts = Object.entries(counts ?? {}).map(
    ([what, times]) => `${what} ${times === 1 ? "once" : `${times} times`}`,
  );
  return parts.join(", ") || "reads";
}

function after(sign: string, words: string): string {
  return words === "" ? "" : sign + words;
}

function extras(detail: AuditRecord["detail"]): string {
  return Object.entries(detail ?? {})
    .map(([key, value]) => `${key} ${typeof value === "string" ? value : canonicalJson(value)}`)
    .join(", ");
}
