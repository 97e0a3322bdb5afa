import { UsageError } from "../base/index.ts";
import { RECORD_KINDS, type RecordKind } from "./record.ts";

/** Every field given must match exactly; none: every record. */
export interface RecordFilter {
  readonly kind?: RecordKind;
  readonly user?: string;
  readonly machine?: string;
  readonly service?: string;
  readonly session?: string;
  readonly decision?: "permit" | "denial";
  readonly stage?: string;
  readonly rule?: string;
  /** Of the certificate, refused ones too: SHA-256 in lower-case hexadecimal. */
  readonly fingerprint?: string;
  /** The event's time, milliseconds since the epoch; `since` inclusive, `until` exclusive. */
  readonly since?: number;
  readonly until?: number;
}

const FIELDS = [
  "kind",
  "user",
  "machine",
  "service",
  "session",
  "decision",
  "stage",
  "rule",
  "fingerprint",
  "since",
  "until",
] as const;
const DECISIONS = ["permit", "denial"] as const;
/** What people type for the two decisions. */
const SAID = new Map([
  ["denied", "denial"],
  ["deny", "denial"],
  ["refused", "denial"],
  ["permitted", "permit"],
  ["allow", "permit"],
  ["allowed", "permit"],
]);

/**
 * Reads `user=alice decision=denial since=2h` (one word a field). Times are durations before `now` (`90s`, `15m`, `2h`, `3d`,
 * `1w`) or ISO 8601 (`2026-05-01`, `2026-05-01T08:30`, `2026-05-01T08:30:15Z`, `...+02:00`), local where they name no zone.
 * Throws UsageError `audit-filter` with a suggestion.
 */
export function parseFilter(words: readonly string[], now: number): RecordFilter {
  const filter: { -readonly [K in keyof RecordFilter]: RecordFilter[K] } = {};
  for (const word of words) {
    const { field, value } = split(word);
    if (filter[field] !== undefined) {
      throw wrong(
        `the filter field ${field} is given twice`,
        "Give each field once; all of them must match.",
      );
    }
    if (field === "kind") filter.kind = oneOf("kind", value, RECORD_KINDS);
    else if (field === "decision") filter.decision = oneOf("decision", value, DECISIONS);
    else if (field === "since" || field === "until") filter[field] = parseTime(value, now);
    else if (field === "fingerprint") filter.fingerprint = value.replaceAll(":", "").toLowerCase();
    else filter[field] = value;
  }
  const { since, until } = filter;
  if (since !== undefined && until !== undefined && since >= until) {
    const times = `since=${new Date(since).toISOString()} is not before until=${new Date(until).toISOString()}`;
    throw wrong(times, "Exchange them, or widen the time between them.");
  }
  return filter;
}

function split(word: string): { field: (typeof FIELDS)[number]; value: string } {
  const at = word.indexOf("=");
  if (at < 0) {
    throw wrong(
      `"${word}" is no filter`,
      `Write field=value, for example user=alice. Fields: ${FIELDS.join(", ")}.`,
    );
  }
  const field = oneOf("filter field", word.slice(0, at), FIELDS);
  const value = word.slice(at + 1);
  if (value === "")
    throw wrong(`the filter field ${field} has no value`, `Write ${field}=value, or leave it out.`);
  return { field, value };
}

const UNITS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
const DURATION = /^(\d{1,9})([smhdw])$/;
const ISO = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,3}))?)?(Z|[+-]\d\d:\d\d)?)?$/;

/** A duration before `now`, or an ISO 8601 time; milliseconds since the epoch. Throws UsageError `audit-filter`. */
export function parseTime(text: string, now: number): number {
  const duration = DURATION.exec(text);
  const unit = UNITS[duration?.[2] ?? ""];
  if (duration !== null && unit !== undefined) return Math.max(0, now - Number(duration[1]) * unit);
  const time = ISO.test(text) ? isoTime(text) : undefined;
  if (time === undefined) {
    throw wrong(
      `"${text}" is no time`,
      "Write how long ago, as 90s, 15m, 2h, 3d or 1w, or a date as 2026-05-01 or 2026-05-01T08:30.",
    );
  }
  return time;
}

/** Undefined for a day or hour there is not: Date would carry 02-30 over into March. */
function isoTime(text: string): number | undefined {
  const [, year, month, day, hour = "00", minute = "00", second = "00", fraction = "", zone = ""] =
    ISO.exec(text) ?? [];
  const local = `${year}-${month}-${day}T${hour}:${minute}:${second}.${fraction.padEnd(3, "0")}`;
  const asWritten = new Date(`${local}Z`);
  if (Number.isNaN(asWritten.getTime()) || !asWritten.toISOString().startsWith(local)) return undefined;
  const time = new Date(local + zone).getTime();
  return Number.isNaN(time) ? undefined : time;
}

function oneOf<T extends string>(what: string, value: string, known: readonly T[]): T {
  const found = known.find((each) => each === value);
  if (found !== undefined) return found;
  const near = SAID.get(value) ?? nearest(value, known);
  const hint = near !== undefined && known.some((each) => each === near) ? `Did you mean ${near}? ` : "";
  throw wrong(`there is no ${what} "${value}"`, `${hint}Known: ${known.join(", ")}.`);
}

/** The known word fewest keystrokes away, at most two, or one that begins the same. */
function nearest(value: string, known: readonly string[]): string | undefined {
  const word = value.toLowerCase().slice(0, 40);
  const ranked = known.map((each) => ({ each, away: each.startsWith(word) ? 1 : keystrokes(word, each) }));
  return ranked.filter(({ away }) => away <= 2).toSorted((a, b) => a.away - b.away)[0]?.each;
}

function keystrokes(from: string, to: string): number {
  let above = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (let row = 1; row <= from.length; row++) {
    const line = [row];
    for (let at = 1; at <= to.length; at++) {
      const change = above[at - 1]! + (from[row - 1] === to[at - 1] ? 0 : 1);
      line.push(Math.min(change, above[at]! + 1, line[at - 1]! + 1));
    }
    above = line;
  }
  return above[to.length]!;
}

function wrong(message: string, advice: string): UsageError {
  return new UsageError("audit-filter", message, advice);
}
