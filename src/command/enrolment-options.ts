/** How people write for whom a certificate is to be; pure. */
import { UsageError } from "../base/index.ts";
import { TIERS, type EnrolmentSubject } from "../link/index.ts";

/** As commander hands them over. */
export interface SubjectOptions {
  readonly user: string;
  readonly device: string;
  readonly tier: string;
  readonly tenant?: string;
  readonly group: readonly string[];
  readonly role?: string;
  readonly until?: string;
}

export function readSubject(options: SubjectOptions): EnrolmentSubject {
  const { user, device, group, role = null, tenant = null, until } = options;
  const tier = TIERS.find((known) => known === options.tier);
  if (tier === undefined) {
    throw new UsageError("tier", `--tier ${options.tier} is none; it takes ${TIERS.join(", ")}`);
  }
  return {
    tier,
    tenant,
    user,
    device,
    groups: [...new Set(group)].toSorted(),
    role,
    until: until === undefined ? null : readDay(until),
  };
}

const DAY = 86_400_000;

/** Milliseconds since the epoch: the end of that day, UTC. */
export function readDay(text: string): number {
  const start = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  // The 31st of a month that has 30 days comes out as another day.
  if (!Number.isNaN(start) && new Date(start).toISOString().startsWith(text)) return start + DAY - 1_000;
  throw new UsageError("until", `--until ${text} is no day`, "Write it as 2027-03-31.");
}

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: DAY };

/** Milliseconds. */
export function readTime(text: string): number {
  const [, digits = "", unit = ""] = /^(\d{1,4})([mhd])$/.exec(text) ?? [];
  const time = Number(digits) * (UNITS[unit] ?? 0);
  if (time > 0) return time;
  throw new UsageError("valid", `--valid ${text} is no time`, "Write it as 30m, 8h or 2d.");
}
