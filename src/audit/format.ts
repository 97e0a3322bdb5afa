import { canonicalJson } from "./canonical.ts";
import { describeRecord, reasonIsWhat, type DescribeOperation } from "./describe.ts";
import { columns, cut, fit, printable } from "../base/index.ts";
import type { AuditRecord } from "./record.ts";

export interface FormatOptions {
  readonly color: boolean;
  /** Columns of the terminal; longer lines are cut, and under 148 a record takes more than one. Left out: nothing is cut but who and where. */
  readonly width?: number;
  /** IANA name; left out: the process's own zone. Times carry their offset in any case. */
  readonly timeZone?: string;
  readonly describe?: DescribeOperation;
}

/** Columns under which what happened and why would be cut to nothing beside the rest, and so get a line of their own. */
const ROOMY = 148;
const INDENT = "    ";
/** Lines for what happened and why, at most; `niac audit show` has all. */
const WRAPPED = 3;

const TIME = 29;
const INDEX = 8;
const DECISION = 6;
/** In a wide terminal there is room for `scada-1 (no certificate)`. */
const WHO = { narrow: 16, wide: 24 } as const;
const WHERE = 22;

/** Said of who has no certificate. */
const WITHOUT = { certificate: "", source: " (no certificate)", machine: " (machine)" } as const;

const GREEN = "\u001b[32m";
const RED = "\u001b[31m";
const DIM = "\u001b[2m";
const PLAIN = "\u001b[0m";

/** The row above the lines of `formatRecord`. */
export function formatHeader({ color, width }: FormatOptions): string {
  const row = [
    fit("TIME", TIME),
    "INDEX".padStart(INDEX),
    fit("", DECISION),
    fit("WHO", whoColumns(width)),
    fit("WHERE", WHERE),
    ...(isNarrow(width) ? [] : ["WHAT"]),
  ].join("  ");
  return paint(cut(row.trimEnd(), width ?? Infinity), DIM, color);
}

/** One record in one line; in a narrow terminal in two or more, of which the first alone is not indented. No text of the record can leave its column, move the cursor or change a colour. */
export function formatRecord(record: AuditRecord, options: FormatOptions): string {
  const { color, width = Infinity, timeZone, describe } = options;
  const before = `${formatTime(record.time, timeZone)}  ${String(record.index).padStart(INDEX)}  `;
  const decision = fit(decisionWord(record), DECISION);
  const place = `  ${fit(who(record), whoColumns(width))}  ${fit(quoted(where(record)), WHERE)}`;
  const text = what(record, describe);
  const left = width - columns(before) - DECISION;
  if (left < 0) return cut(before + decision, width);
  const painted = paint(
    decision,
    record.decision === "permit" ? GREEN : RED,
    color && record.decision !== undefined,
  );
  if (!isNarrow(width)) return before + painted + cut(`${place}  ${text}`, left);
  const lines = wrapped(text, width - INDENT.length, WRAPPED).map((line) => `\n${INDENT}${line}`);
  return before + painted + cut(place.trimEnd(), left) + lines.join("");
}

function isNarrow(width = Infinity): boolean {
  return width < ROOMY;
}

function whoColumns(width?: number): number {
  return isNarrow(width) ? WHO.narrow : WHO.wide;
}

/** In lines of at most `width` columns, parted at spaces where there are any; the last of at most `most` is cut. */
function wrapped(text: string, width: number, most: number): string[] {
  const lines: string[] = [];
  let rest = text;
  while (lines.length < most - 1 && columns(rest) > width) {
    const fitting = cut(rest, width + 1).slice(0, -1);
    const space = fitting.lastIndexOf(" ");
    const end = space > 0 ? space : fitting.length;
    lines.push(rest.slice(0, end));
    rest = rest.slice(end).trimStart();
  }
  return rest === "" ? lines : [...lines, cut(rest, width)];
}

/** All of one record, a field a line, aligned; values are never cut. */
export function formatRecordLong(record: AuditRecord, options: FormatOptions): string {
  const rows = [...longRows(record, options)];
  const name = Math.max(...rows.map(([field]) => columns(field)));
  return rows.map(([field, value]) => `${paint(fit(field, name), DIM, options.color)}  ${value}`).join("\n");
}

function* longRows(record: AuditRecord, options: FormatOptions): Generator<readonly [string, string]> {
  const { time, index, origin, stored, decision, ...rest } = record;
  yield ["index", String(index)];
  yield ["origin", printable(origin)];
  yield ["time", formatTime(time, options.timeZone)];
  yield ["stored", formatTime(stored, options.timeZone)];
  yield ["what", printable(describeRecord(record, options.describe))];
  if (decision !== undefined) {
    yield ["decision", paint(decisionWord(record), decision === "permit" ? GREEN : RED, options.color)];
  }
  for (const [field, value] of Object.entries(rest)) yield* fieldRows(field, value);
}

/** Objects are taken apart, so that each value stands on a line of its own. */
function* fieldRows(field: string, value: unknown): Generator<readonly [string, string]> {
  if (typeof value === "string") yield [field, printable(value)];
  else if (Array.isArray(value)) yield [field, value.map(oneValue).join(", ") || "none"];
  else if (typeof value === "object" && value !== null) {
    for (const [key, inner] of Object.entries(value)) yield* fieldRows(`${field}.${printable(key)}`, inner);
  } else yield [field, value === null ? "none" : canonicalJson(value)];
}

function oneValue(value: unknown): string {
  return typeof value === "string" ? quoted(printable(value)) : printable(canonicalJson(value));
}

function decisionWord({ decision, kind }: AuditRecord): string {
  if (decision === "permit") return "PERMIT";
  return decision === "denial" || kind === "session.refused" ? "DENIED" : "";
}

function who({ identity, presented, source }: AuditRecord): string {
  // Behind the quotes, so that no certificate's name can pass for a machine's.
  if (identity !== undefined)
    return quoted(printable(identity.user)) + WITHOUT[identity.kind ?? "certificate"];
  // Unverified: a question mark says so.
  return quoted(presented === undefined ? printable(source ?? "-") : `?${printable(presented.subject)}`);
}

function where({ machine, service }: AuditRecord): string {
  if (machine === undefined) return "-";
  return printable(service === undefined ? machine : `${machine}/${service}`);
}

function what(record: AuditRecord, describe: DescribeOperation | undefined): string {
  const because = [
    record.stage,
    record.rule === undefined ? undefined : `rule ${record.rule}`,
    reasonIsWhat(record) ? undefined : record.reason,
  ];
  const words = because.filter((part) => part !== undefined).join(": ");
  const happened = describeRecord(record, describe);
  return printable(words === "" ? happened : `${happened} — ${words}`);
}

/** A name with spaces could pass for two columns. */
function quoted(text: string): string {
  return text.includes(" ") ? `"${text}"` : text;
}

/** `2026-05-01 08:30:15.250+02:00` in the zone given, else in the process's own. Out of the calendar: the number itself. */
export function formatTime(time: number, timeZone?: string): string {
  const parts = new Map<string, string>();
  for (const { type, value } of formatter(timeZone).formatToParts(time)) parts.set(type, value);
  const of = (type: string): string => parts.get(type) ?? "";
  // longOffset says "GMT" alone for UTC.
  const offset = of("timeZoneName").slice("GMT".length) || "+00:00";
  return `${of("year").padStart(4, "0")}-${of("month")}-${of("day")} ${of("hour")}:${of("minute")}:${of("second")}.${of("fractionalSecond")}${offset}`;
}

const formatters = new Map<string | undefined, Intl.DateTimeFormat>();

/** Making one costs far more than using it, and a tail formats line after line. */
function formatter(timeZone: string | undefined): Intl.DateTimeFormat {
  let known = formatters.get(timeZone);
  if (known === undefined) {
    known = new Intl.DateTimeFormat("en-GB", {
      ...(timeZone === undefined ? {} : { timeZone }),
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      hourCycle: "h23",
      minute: "2-digit",
      second: "2-digit",
      fractionalSecondDigits: 3,
      timeZoneName: "longOffset",
    });
    formatters.set(timeZone, known);
  }
  return known;
}

function paint(text: string, color: string, on: boolean): string {
  return on && text !== "" ? color + text + PLAIN : text;
}
