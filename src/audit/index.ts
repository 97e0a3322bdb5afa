/**
 * The record of all that happened: drafts come in, are committed to SQLite with a gap-free index, and are read back, searched
 * and shown. Nothing is changed or deleted here. `append` resolves after the commit; a full disk is an error with a name and
 * passes by itself; a write that leaves the log in doubt stops the process.
 */
export * from "./canonical.ts";
export { createRecords, openDatabase } from "./database.ts";
export type { Database, Migration } from "./database.ts";
export * from "./filter.ts";
export * from "./format.ts";
export { AuditLog } from "./log.ts";
export type { AppendResult, AuditLogOptions, AuditState, NewRecords, Urgency } from "./log.ts";
export type { OpenSession } from "./reader.ts";
export * from "./record.ts";
export { MAX_DRAFTS, MAX_RECORD_BYTES, parseDrafts, parseRecord } from "./schema.ts";
export { describeOperation, describeRecord } from "./describe.ts";
export type { DescribeOperation } from "./describe.ts";
