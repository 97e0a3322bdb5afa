import type { Database } from "./database.ts";
import type { RecordFilter } from "./filter.ts";
import type { AuditRecord } from "./record.ts";
import { parseRecord } from "./schema.ts";

/** Indexes `from` up to but not including `to`. */
export interface Slice {
  readonly from: number;
  readonly to: number;
  readonly limit: number;
}

type Value = string | number;

const CONDITIONS: readonly (readonly [keyof RecordFilter, sql: string])[] = [
  ["kind", "kind = ?"],
  ["user", "user = ?"],
  ["machine", "machine = ?"],
  ["service", "service = ?"],
  ["session", "session = ?"],
  ["decision", "decision = ?"],
  ["stage", "stage = ?"],
  ["rule", "rule = ?"],
  ["fingerprint", "fingerprint = ?"],
  ["since", "time >= ?"],
  ["until", "time < ?"],
];

/** Searches one slice of the log; statements are kept by which fields the filter has, values are always bound. */
export class RecordSearch {
  readonly #db: Database;
  readonly #statements = new Map<string, ReturnType<typeof prepare>>();

  constructor(db: Database) {
    this.#db = db;
  }

  /** What matches in the slice, newest first. */
  slice(filter: RecordFilter, slice: Slice): AuditRecord[] {
    const conditions = ["idx >= ?", "idx < ?"];
    const values: Value[] = [slice.from, slice.to];
    for (const [field, sql] of CONDITIONS) {
      const value = filter[field];
      if (value === undefined) continue;
      conditions.push(sql);
      values.push(value);
    }
    const statement = this.#statement(conditions.join(" AND "));
    return statement.all(...values, slice.limit).map((row) => parseRecord(row.json));
  }

  #statement(where: string) {
    let statement = this.#statements.get(where);
    if (statement === undefined) {
      statement = prepare(this.#db, where);
      this.#statements.set(where, statement);
    }
    return statement;
  }
}

function prepare(db: Database, where: string) {
  return db.prepare<Value[], { json: string }>(
    `SELECT json FROM records WHERE ${where} ORDER BY idx DESC LIMIT ?`,
  );
}
