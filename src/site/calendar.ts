/** Days, hours and dates of rules: read as they are written, compiled in the site's time zone. */
import { mistake, shown, type Reading } from "./scalar.ts";
import type { Interval } from "./snapshot.ts";

export const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
export const MINUTES_OF_DAY = 1440;

const DAY_EXPECTED = "mon, tue, wed, thu, fri, sat, sun, or a range such as mon-fri";

/** A day, or a range that may run over the week's end (sat-mon), to days: 0 Monday .. 6 Sunday. */
export function readDays(input: unknown): Reading<readonly number[]> {
  const [first, last, ...more] = typeof input === "string" ? input.split("-").map((word) => word.trim()) : [];
  const names: readonly string[] = DAYS;
  const start = names.indexOf(first ?? "");
  const end = last === undefined ? start : names.indexOf(last);
  if (start === -1 || end === -1 || more.length > 0) {
    const tame = typeof input === "string" ? input.toLowerCase().replaceAll(/([a-z]{3})[a-z]*/g, "$1") : "";
    const meant = tame !== input && tame.split("-").every((word) => names.includes(word));
    return mistake(`${shown(input)} is no day of the week`, DAY_EXPECTED, meant ? tame : undefined);
  }
  const count = ((end - start + 7) % 7) + 1;
  return { value: Array.from({ length: count }, (_, index) => (start + index) % 7) };
}

const HOURS = /^([01]\d|2[0-3]):([0-5]\d)\s*-\s*([01]\d|2[0-4]):([0-5]\d)$/;

/** `06:00-18:00` to minutes of the day, the end exclusive; `end` before `start` where it runs over midnight. */
export function readHours(input: unknown): Reading<Interval> {
  const expected = `hours as "06:00-18:00", in the site's time zone; "22:00-06:00" runs over midnight`;
  const match = typeof input === "string" ? HOURS.exec(input) : null;
  if (match === null) return mistake(`${shown(input)} are no hours`, expected);
  const start = Number(match[1]) * 60 + Number(match[2]);
  const end = Number(match[3]) * 60 + Number(match[4]);
  if (end > MINUTES_OF_DAY) return mistake(`${shown(input)} ends after 24:00`, expected);
  if (start === end) {
    return mistake(`${shown(input)} is no time at all`, `${expected}; for the whole day leave hours out`);
  }
  return { value: { start, end } };
}

/** A day of the site's calendar, or an instant in milliseconds since the epoch. */
export type Moment =
  | { readonly kind: "date"; readonly year: number; readonly month: number; readonly day: number }
  | { readonly kind: "instant"; readonly at: number };

const DATE = /^(\d{4})-(\d\d)-(\d\d)$/;
const INSTANT = /^(\d{4}-\d\d-\d\d)T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/;

function readDate(text: string): Moment | null {
  const match = DATE.exec(text);
  if (match === null) return null;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const date = new Date(Date.UTC(year, month - 1, day));
  const exists = year >= 1970 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return exists ? { kind: "date", year, month, day } : null;
}

/** `2026-12-31`, or `2026-12-31T18:00:00+01:00` (RFC 3339, with its offset). */
export function readMoment(input: unknown): Reading<Moment> {
  const expected = "a date such as 2026-12-31, or a time with its offset such as 2026-12-31T18:00:00+01:00";
  if (typeof input !== "string") return mistake(`${shown(input)} is no date`, expected);
  const date = readDate(input);
  if (date !== null) return { value: date };
  const match = INSTANT.exec(input);
  if (match !== null && readDate(match[1]!) !== null)
    return { value: { kind: "instant", at: Date.parse(input) } };
  if (/^\d{4}-\d\d-\d\dT[\d:]+$/.test(input))
    return mistake(`${input} does not say its offset from UTC`, expected, `${input}Z`);
  return mistake(`${shown(input)} is no date`, expected);
}

/** Whether `Intl` knows this time zone. */
export function isTimeZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: zone }).resolvedOptions().timeZone !== "";
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

function wallClock(zone: string): (at: number) => number {
  const format = new Intl.DateTimeFormat("en-GB-u-ca-gregory-nu-latn", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
  return (at) => {
    const fields: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(at)) fields[type] = Number(value);
    const { year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0 } = fields;
    return Date.UTC(year, month - 1, day, hour, minute, second);
  };
}

const DAY = 86_400_000;

/** The first instant of a day of the zone's calendar; a day without midnight (clocks put forward at 00:00) begins later. */
export function startOfDay(zone: string, year: number, month: number, day: number): number {
  const wanted = Date.UTC(year, month - 1, day);
  const clock = wallClock(zone);
  const candidates = [wanted - DAY, wanted, wanted + DAY]
    .map((at) => wanted - (clock(at) - at))
    .toSorted((a, b) => a - b);
  const first = candidates.find((at) => clock(at) >= wanted && clock(at - 1000) < wanted);
  // A zone that left a day out (Samoa, 30 December 2011): the day began where the next one did.
  return first ?? candidates[0]!;
}

/** Milliseconds since the epoch; `after`: the end of a day rather than its start. */
export function compileMoment(moment: Moment, zone: string, after: boolean): number {
  if (moment.kind === "instant") return moment.at;
  return startOfDay(zone, moment.year, moment.month, moment.day + (after ? 1 : 0));
}

export function instantText(at: number): string {
  return new Date(at).toISOString().replace(".000Z", "Z");
}

/** An exclusive end as people write it: the last day, where it is the end of a day of the zone; else the instant. */
export function endText(at: number, zone: string): string {
  const last = new Date(wallClock(zone)(at - 1000));
  const [year, month, day] = [last.getUTCFullYear(), last.getUTCMonth() + 1, last.getUTCDate()];
  const ends = startOfDay(zone, year, month, day + 1) === at;
  return ends ? last.toISOString().slice(0, 10) : instantText(at);
}
