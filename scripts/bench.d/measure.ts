/** The measurements, each of one proxy at a time with a fixed amount of work, so that all do the same. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Kind } from "./frames.ts";
import {
  closeSessions,
  handshakes,
  openSessions,
  targetOf,
  transact,
  type Credentials,
  type Target,
} from "./load.ts";
import { cpuBetween, cpuOfTree, memoryOfTree, type PinnedProcess } from "./processes.ts";
import { median, NIAC, percentile, type SessionCount } from "./results.ts";

/** How much work one measurement is; chosen so that it takes one to two seconds. */
export interface Amounts {
  readonly transactions: Readonly<Record<SessionCount, number>>;
  readonly writes: number;
  readonly handshakes: number;
  readonly idleSessions: number;
  /** Before anything is measured, on each proxy. */
  readonly warmUp: number;
}

export const QUICK: Amounts = {
  transactions: { 1: 4_000, 32: 16_000, 256: 16_000 },
  writes: 6_000,
  handshakes: 320,
  idleSessions: 256,
  warmUp: 12_000,
};

export const FULL: Amounts = {
  transactions: { 1: 6_000, 32: 30_000, 256: 30_000 },
  writes: 10_000,
  handshakes: 500,
  idleSessions: 1_000,
  warmUp: 30_000,
};

const PARALLEL_HANDSHAKES = 8;
const READY_LIMIT = 30_000;
/** For what a proxy still does after the last reply: closing the machine's side, ending threads. */
export const SETTLE = 100;

/** A proxy ready to be measured. */
export interface Subject {
  readonly name: string;
  readonly process: PinnedProcess;
  readonly target: Target;
  /** The same, with the key exchange that is safe against quantum computers. */
  readonly hybridTarget: Target;
}

export function subjectOf(
  name: string,
  process: PinnedProcess,
  port: number,
  credentials: Credentials,
): Subject {
  const target = targetOf(name, port, credentials);
  return { name, process, target, hybridTarget: targetOf(name, port, credentials, "X25519MLKEM768") };
}

/** Rows it gives, by path. */
export type Values = Readonly<Record<string, number>>;

export interface Measurement {
  readonly paths: readonly string[];
  /** Only niac is measured. */
  readonly niacOnly: boolean;
  run(subject: Subject): Promise<Values>;
}

/** The row asked for most comes first, so that it is there even on a machine too slow for the rest. */
const ORDER: readonly SessionCount[] = [32, 1, 256];

/** Those done in every round, in order. Memory is apart, because it wants a process that has just started. */
export function roundMeasurements(amounts: Amounts, quick: boolean): Measurement[] {
  const always: Measurement[] = [
    ...ORDER.map((count) => transactions(count, amounts)),
    plainHandshakes(amounts),
  ];
  return quick ? always : [...always, writes(amounts), hybridHandshakes(amounts)];
}

function transactions(count: SessionCount, amounts: Amounts): Measurement {
  const cpu = `cpuPerTransaction.sessions${count}`;
  const trip = `roundTrip.sessions${count}`;
  const busy = `coreBusy.sessions${count}`;
  return {
    paths: [cpu, `${trip}.median`, `${trip}.p99`, busy],
    niacOnly: false,
    async run(subject) {
      const sample = await sampleTransactions(subject, count, amounts.transactions[count], "read");
      return {
        [cpu]: sample.cpu,
        [`${trip}.median`]: sample.median,
        [`${trip}.p99`]: sample.p99,
        [busy]: sample.busy,
      };
    },
  };
}

function writes(amounts: Amounts): Measurement {
  const path = "cpuPerWrite.sessions32";
  return {
    paths: [path],
    niacOnly: false,
    run: async (subject) => ({
      [path]: (await sampleTransactions(subject, 32, amounts.writes, "write")).cpu,
    }),
  };
}

function plainHandshakes(amounts: Amounts): Measurement {
  const path = "cpuPerHandshake.x25519";
  return {
    paths: [path],
    niacOnly: false,
    run: async (subject) => ({ [path]: await cpuPerHandshake(subject, subject.target, amounts.handshakes) }),
  };
}

function hybridHandshakes(amounts: Amounts): Measurement {
  const path = "cpuPerHandshake.x25519mlkem768";
  return {
    paths: [path],
    niacOnly: true,
    run: async (subject) => ({
      [path]: await cpuPerHandshake(subject, subject.hybridTarget, amounts.handshakes),
    }),
  };
}

async function sampleTransactions(
  subject: Subject,
  sessionCount: number,
  count: number,
  kind: Kind,
): Promise<{ cpu: number; median: number; p99: number; busy: number }> {
  const sessions = await openSessions(subject.target, sessionCount);
  try {
    await transact(sessions, Math.max(sessionCount, count >> 3), kind);
    const before = cpuOfTree(subject.process);
    const begin = performance.now();
    const trips = await transact(sessions, count, kind);
    const elapsed = (performance.now() - begin) * 1_000;
    const used = cpuBetween(subject.name, before, cpuOfTree(subject.process));
    trips.sort();
    return {
      cpu: used / count,
      median: percentile(trips, 0.5),
      p99: percentile(trips, 0.99),
      busy: (100 * used) / elapsed,
    };
  } finally {
    await closeSessions(sessions);
    await sleep(SETTLE);
  }
}

async function cpuPerHandshake(subject: Subject, target: Target, count: number): Promise<number> {
  const before = cpuOfTree(subject.process);
  await handshakes(target, count, PARALLEL_HANDSHAKES);
  await sleep(SETTLE);
  return cpuBetween(subject.name, before, cpuOfTree(subject.process)) / count;
}

export const MEMORY_PATHS = ["memory.perIdleSession", "memory.withIdleSessions"] as const;

/** Of a proxy that has just started: memory once grown and freed would hide what sessions cost. */
export async function sampleMemory(subject: Subject, amounts: Amounts): Promise<Values> {
  await warmUp(subject, amounts.warmUp >> 2);
  const before = await steadyMemory(subject.process);
  const sessions = await openSessions(subject.target, amounts.idleSessions);
  try {
    const after = await steadyMemory(subject.process);
    // Idle is not closed: each session must still answer.
    await transact(sessions, sessions.length, "read");
    return {
      "memory.perIdleSession": (after - before) / amounts.idleSessions,
      "memory.withIdleSessions": after / 1_024,
    };
  } finally {
    await closeSessions(sessions);
  }
}

/** The median of some readings over a second, KiB: a garbage collector moves it up and down. */
async function steadyMemory(process: PinnedProcess): Promise<number> {
  const readings: number[] = [];
  for (let i = 0; i < 5; i++) {
    await sleep(200);
    readings.push(memoryOfTree(process));
  }
  return median(readings);
}

/** Lets a compiler compile and caches fill, the load's own too. */
export async function warmUp(subject: Subject, count: number): Promise<void> {
  const sessions = await openSessions(subject.target, 32);
  try {
    await transact(sessions, count, "read");
  } finally {
    await closeSessions(sessions);
  }
  await handshakes(subject.target, 16, PARALLEL_HANDSHAKES);
  await sleep(SETTLE);
}

/** Until a session does a transaction; throws with the proxy's last words when it ends or takes too long. */
export async function ready(subject: Subject): Promise<void> {
  const deadline = performance.now() + READY_LIMIT;
  for (;;) {
    try {
      await handshakes(subject.target, 1, 1);
      return;
    } catch (error) {
      if (subject.process.ended || performance.now() > deadline) {
        const what = error instanceof Error ? error.message : String(error);
        throw new Error(`${subject.name} does not serve (${what}): ${subject.process.lastWords()}`, {
          cause: error,
        });
      }
    }
    await sleep(100);
  }
}

/** Throws where somebody who must not get through does. */
export async function refused(who: string, target: Target): Promise<void> {
  const through = await handshakes(target, 1, 1).then(
    () => true,
    () => false,
  );
  if (through)
    throw new Error(`${target.name} let a laptop through ${who}; it is not set up as the comparison asks`);
}

export function isFor(measurement: Measurement, name: string): boolean {
  return !measurement.niacOnly || name === NIAC;
}
