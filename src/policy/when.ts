import { BugError, UsageError } from "../base/index.ts";
import type { When } from "../site/index.ts";

const MINUTE = 60_000;
const DAY = 86_400_000;

/** What of `when` time alone decides. */
export type Times = Omit<When, "keySwitch">;

/** Wall-clock time of one IANA zone. */
export class Zone {
  readonly #format: Intl.DateTimeFormat;
  #at = Number.NaN;
  #offset = 0;

  /** Throws UsageError for a name Intl does not know. */
  constructor(name: string) {
    try {
      this.#format = new Intl.DateTimeFormat("en-US", {
        timeZone: name,
        calendar: "iso8601",
        numberingSystem: "latn",
        hourCycle: "h23",
        year: "numeric",
        month: "numeric",
        day: "numeric",
        hour: "numeric",
        minute: "numeric",
        second: "numeric",
      });
    } catch (cause) {
      throw new UsageError(
        "time-zone",
        `"${name}" is no time zone`,
        "Write an IANA name, e.g. Europe/Berlin.",
        {
          cause,
        },
      );
    }
  }

  /** Milliseconds to add to `time` (UTC) so that it reads as local time. The last answer is kept: Intl is slow. */
  offset(time: number): number {
    if (time === this.#at) return this.#offset;
    const fields: Record<string, number> = {};
    for (const { type, value } of this.#format.formatToParts(time)) fields[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = fields;
    this.#at = time;
    this.#offset = Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(time / 1000) * 1000;
    return this.#offset;
  }

  /** The first millisecond after `time` and up to `end` with another offset; `end` where there is none. */
  shift(time: number, end: number): number {
    const offset = this.offset(time);
    if (this.offset(end) === offset) return end;
    let before = time;
    let after = end;
    while (after - before > 1) {
      const middle = Math.floor((before + after) / 2);
      if (this.offset(middle) === offset) before = middle;
      else after = middle;
    }
    return after;
  }
}

/**
 * Whether the times of a rule's `when` hold. The answer is worked out once and kept until the time at which it may change; a clock
 * that steps back to before it was worked out has it worked out anew.
 */
export class TimeCondition {
  readonly #when: Times;
  readonly #zone: Zone;
  #holds = false;
  #from = Infinity;
  #until = -Infinity;

  constructor(when: Times, zone: Zone) {
    this.#when = when;
    this.#zone = zone;
  }

  holds(now: number): boolean {
    this.#resolve(now);
    return this.#holds;
  }

  /** The earliest time after `now` at which `holds` may answer otherwise; Infinity: never. */
  changes(now: number): number {
    this.#resolve(now);
    return this.#until;
  }

  #resolve(now: number): void {
    if (now >= this.#from && now < this.#until) return;
    if (!Number.isFinite(now)) throw new BugError("time", `${now} is no time to decide at`);
    const { from, until } = this.#when;
    this.#from = now;
    if (until !== null && now >= until) {
      this.#holds = false;
      this.#until = Infinity;
    } else if (from !== null && now < from) {
      this.#holds = false;
      this.#until = from;
    } else {
      const [holds, end] = this.#calendar(now);
      this.#holds = holds;
      this.#until = Math.min(end, until ?? Infinity);
    }
  }

  /** Days and hours alone: whether they hold, and until when that is certain (at most the next local midnight). */
  #calendar(now: number): [boolean, number] {
    const { days, hours } = this.#when;
    if (days === null && hours === null) return [true, Infinity];
    const local = now + this.#zone.offset(now);
    const today = Math.floor(local / DAY);
    const time = local - today * DAY;
    // Day 0 of the epoch was a Thursday.
    const weekday = (((today + 3) % 7) + 7) % 7;
    let end = DAY;
    let inHours = hours === null;
    for (const span of hours ?? []) {
      const opens = span.start * MINUTE;
      const closes = span.end * MINUTE;
      if (opens <= time && time < closes) inHours = true;
      if (opens > time) end = Math.min(end, opens);
      if (closes > time) end = Math.min(end, closes);
    }
    const holds = inHours && (days === null || days.includes(weekday));
    return [holds, this.#zone.shift(now, now + end - time)];
  }
}
