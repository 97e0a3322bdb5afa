/** What was measured, round by round, and what is made of it: medians over the rounds and ratios to the best peer. Pure. */

import { CABLE_ROWS } from "./cable-rows.ts";
import { TRUST_ROWS } from "./trust-rows.ts";

/** One line of the table. `path` is its place in the JSON. */
export interface Row {
  readonly path: string;
  readonly label: string;
  readonly unit: string;
  readonly better: "lower" | "higher";
  /** Whether peers have it too and a ratio means something. */
  readonly compared: boolean;
}

const cpu = { unit: "µs", better: "lower", compared: true } as const;
const trip = { unit: "µs", better: "lower", compared: true } as const;

export const SESSION_COUNTS = [1, 32, 256] as const;
export type SessionCount = (typeof SESSION_COUNTS)[number];
export const RULE_COUNTS = [10, 1_000, 10_000] as const;

function sessionsText(count: number): string {
  return count === 1 ? "1 session" : `${count} sessions`;
}

export const ROWS: readonly Row[] = [
  ...SESSION_COUNTS.map((n): Row => {
    return {
      ...cpu,
      path: `cpuPerTransaction.sessions${n}`,
      label: `CPU per transaction, ${sessionsText(n)}`,
    };
  }),
  { ...cpu, path: "cpuPerWrite.sessions32", label: "CPU per write, 32 sessions" },
  ...SESSION_COUNTS.flatMap((n): Row[] => [
    { ...trip, path: `roundTrip.sessions${n}.median`, label: `Round trip, ${sessionsText(n)}, median` },
    { ...trip, path: `roundTrip.sessions${n}.p99`, label: `Round trip, ${sessionsText(n)}, p99` },
  ]),
  { ...cpu, path: "cpuPerHandshake.x25519", label: "CPU per handshake and one read" },
  {
    ...cpu,
    compared: false,
    path: "cpuPerHandshake.x25519mlkem768",
    label: "CPU per handshake and one read, post-quantum",
  },
  {
    path: "memory.perIdleSession",
    label: "Memory per idle session",
    unit: "KiB",
    better: "lower",
    compared: true,
  },
  {
    path: "memory.withIdleSessions",
    label: "Memory in all, sessions idle",
    unit: "MiB",
    better: "lower",
    compared: true,
  },
  ...RULE_COUNTS.map((n): Row => {
    return {
      path: `decisionsPerSecond.rules${n}`,
      label: `Decisions per second, ${n.toLocaleString("en")} rules`,
      unit: "1/s",
      better: "higher",
      compared: false,
    };
  }),
  ...RULE_COUNTS.map((n): Row => {
    return {
      path: `denialsPerSecond.rules${n}`,
      label: `Denials with their reason per second, ${n.toLocaleString("en")} rules`,
      unit: "1/s",
      better: "higher",
      compared: false,
    };
  }),
  ...SESSION_COUNTS.map((n): Row => {
    return {
      path: `coreBusy.sessions${n}`,
      label: `Share of its core used, ${sessionsText(n)}`,
      unit: "%",
      better: "lower",
      compared: false,
    };
  }),
  ...CABLE_ROWS,
  ...TRUST_ROWS,
];

/** Median, least and greatest of the rounds. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export interface Comparison {
  readonly row: Row;
  /** By proxy name, in the order they were measured. */
  readonly proxies: ReadonlyMap<string, Spread>;
  /** The peer with the best median. */
  readonly bestPeer: string | null;
  /** niac's value over that of the same round's best peer. */
  readonly ratio: Spread | null;
  readonly rounds: number;
}

export const NIAC = "niac";

/** Values by row, proxy and round. */
export class Samples {
  readonly #values = new Map<string, Map<string, number[]>>();

  /** Rounds of one row come in order, and every proxy has each. */
  add(path: string, proxy: string, value: number): void {
    const row = this.#values.get(path) ?? new Map<string, number[]>();
    this.#values.set(path, row);
    const rounds = row.get(proxy) ?? [];
    row.set(proxy, rounds);
    rounds.push(value);
  }

  /** Rows that were measured, in the order of ROWS. */
  compare(): Comparison[] {
    return ROWS.flatMap((row) => {
      const values = this.#values.get(row.path);
      return values === undefined ? [] : [compareRow(row, values)];
    });
  }
}

function compareRow(row: Row, values: ReadonlyMap<string, readonly number[]>): Comparison {
  const sign = row.better === "lower" ? 1 : -1;
  const peers = [...values].filter(([name]) => name !== NIAC);
  const proxies = new Map([...values].map(([name, rounds]) => [name, spread(rounds)]));
  const best = peers
    .map(([name, rounds]) => ({ name, median: median(rounds) }))
    .toSorted((a, b) => sign * (a.median - b.median))[0];
  const own = values.get(NIAC);
  const rounds = Math.min(...[...values.values()].map((list) => list.length));
  const ratios =
    row.compared && own !== undefined && best !== undefined
      ? own.slice(0, rounds).map((value, round) => {
          const those = peers.map(([, list]) => sign * (list[round] ?? Number.NaN));
          return value / (sign * Math.min(...those));
        })
      : [];
  return {
    row,
    proxies,
    bestPeer: row.compared ? (best?.name ?? null) : null,
    ratio: ratios.length > 0 ? spread(ratios) : null,
    rounds,
  };
}

export function spread(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** The smallest value that `share` (0..1) of them do not exceed; `sorted` ascending, not empty. */
export function percentile(sorted: Float64Array, share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

export interface Surroundings {
  /** ISO 8601, UTC. */
  readonly date: string;
  readonly quick: boolean;
  readonly processor: string;
  readonly cores: number;
  readonly kernel: string;
  readonly node: string;
  readonly proxyCore: number;
  readonly loadCore: number;
  /** By proxy name. */
  readonly versions: Readonly<Record<string, string>>;
  /** What was left out, and why. */
  readonly leftOut: readonly string[];
  readonly idleSessions: number;
}

export interface Results {
  readonly surroundings: Surroundings;
  readonly comparisons: readonly Comparison[];
}
