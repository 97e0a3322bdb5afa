/** Trust: what handshakes cost by algorithm, how fast access ends, revocation lists, and how many certificates are issued. */
import { join } from "node:path";
import { z } from "zod";
import { Cleanup } from "./cleanup.ts";
import { PinnedProcess } from "./processes.ts";
import type { Proxy } from "./proxy.ts";
import { NIAC, type Samples } from "./results.ts";
import type { Progress } from "./run.ts";
import type { Stage } from "./stage.ts";
import { Authority, KEY_ALGORITHMS } from "./trust-appliance.ts";
import { measureCuts, type CutAmounts } from "./trust-cuts.ts";
import { enrolled } from "./trust-est.ts";
import { measureHandshakes, type HandshakeAmounts } from "./trust-handshakes.ts";
import {
  ALGORITHM_NAMES,
  CUT_NAMES,
  LISTED,
  OPEN_SESSIONS,
  TRUST,
  TRUST_ROWS,
  type Algorithm,
} from "./trust-rows.ts";

export interface TrustAmounts {
  readonly handshakes: HandshakeAmounts;
  readonly cuts: CutAmounts;
  readonly lists: { readonly rounds: number; readonly serials: readonly number[]; readonly checks: number };
  readonly issue: { readonly rounds: number; readonly count: number; readonly overEst: number };
  /** Milliseconds after which no second round of anything begins, and nothing else that takes long. */
  readonly time: number;
}

export const TRUST_QUICK: TrustAmounts = {
  handshakes: { rounds: 2, count: 80, warmUp: 40 },
  cuts: { rounds: 1, sessions: OPEN_SESSIONS.slice(0, 2) },
  lists: { rounds: 1, serials: LISTED.slice(0, 1), checks: 5_000 },
  issue: { rounds: 2, count: 200, overEst: 30 },
  time: 45_000,
};

export const TRUST_FULL: TrustAmounts = {
  handshakes: { rounds: 7, count: 300, warmUp: 200 },
  cuts: { rounds: 5, sessions: OPEN_SESSIONS },
  lists: { rounds: 3, serials: LISTED, checks: 50_000 },
  issue: { rounds: 5, count: 1_000, overEst: 150 },
  time: 420_000,
};

/** At most so many of everything; null: as they are. */
export function withRounds(amounts: TrustAmounts, rounds: number | null): TrustAmounts {
  if (rounds === null) return amounts;
  const { handshakes, cuts, lists, issue } = amounts;
  return {
    ...amounts,
    handshakes: { ...handshakes, rounds },
    cuts: { ...cuts, rounds },
    lists: { ...lists, rounds },
    issue: { ...issue, rounds },
  };
}

export interface TrustBench {
  readonly stage: Stage;
  readonly cleanup: Cleanup;
  readonly amounts: TrustAmounts;
  /** `path`: without the beginning that all rows have. */
  readonly add: (path: string, name: string, value: number) => void;
  readonly progress: Progress;
  /** Whether a row that begins so is asked for; the same. */
  readonly wants: (beginning: string) => boolean;
  /** Whether there is time for it. */
  readonly inTime: (what: string) => boolean;
  /** Runs them as long as there is time, the first one in any case; the number counts from 1. */
  readonly inRounds: (what: string, rounds: number, one: (round: number) => Promise<void>) => Promise<void>;
}

/** `only`: the beginning of the paths wanted. */
export async function measureTrust(
  stage: Stage,
  cleanup: Cleanup,
  amounts: TrustAmounts,
  only: string,
  peers: readonly Proxy[],
  samples: Samples,
  progress: Progress,
): Promise<void> {
  const end = performance.now() + amounts.time;
  const own = new Cleanup();
  cleanup.add(() => own.run());
  const bench: TrustBench = {
    stage,
    cleanup: own,
    amounts,
    progress,
    wants: (beginning) =>
      TRUST_ROWS.some(({ path }) => path.startsWith(TRUST + beginning) && path.startsWith(only)),
    add(path, name, value) {
      if ((TRUST + path).startsWith(only)) samples.add(TRUST + path, name, value);
    },
    inTime(what) {
      const left = performance.now() < end;
      if (!left) progress(`trust: time is up before ${what}`);
      return left;
    },
    async inRounds(what, rounds, one) {
      for (let round = 1; round <= rounds && (round === 1 || performance.now() < end); round++) {
        progress(`trust: ${what}, round ${round} of ${rounds}`);
        await one(round);
      }
    },
  };
  try {
    if (bench.wants("handshake")) await measureHandshakes(bench, peers);
    await measureAppliance(bench, "p256");
    if (bench.wants("list") && bench.inTime("lists")) await measureLists(bench);
    if (bench.wants("issue") && bench.inTime("certificates issued")) await measureIssuing(bench);
    await measureAppliance(bench, "mlDsa65");
  } finally {
    own.run();
  }
}

const values = z.record(z.string(), z.number());
type Values = z.infer<typeof values>;

async function measureLists(bench: TrustBench): Promise<void> {
  const { amounts, add, wants, inRounds } = bench;
  const { rounds, serials, checks } = amounts.lists;
  const script = (dir: string, ...words: string[]): Promise<Values[]> =>
    runScript(bench, dir, "trust-lists.ts", words);
  for (const count of serials) {
    if (!wants(`list.serials${count}.`)) continue;
    await inRounds(`a list of ${count} serials`, rounds, async () => {
      const dir = bench.stage.newDir();
      await script(dir, "make", dir, String(count));
      const measured = [
        ...(await script(dir, "take", dir)),
        ...(await script(dir, "check", dir, String(checks))),
      ];
      for (const [name, value] of measured.flatMap((each) => Object.entries(each)))
        add(`list.serials${count}.${name}`, NIAC, value);
    });
  }
}

async function measureIssuing(bench: TrustBench): Promise<void> {
  const { amounts, add, progress, stage, wants } = bench;
  const { rounds, count } = amounts.issue;
  for (const algorithm of ALGORITHM_NAMES) {
    if (!wants(`issue.${algorithm}.issue`) && !wants(`issue.${algorithm}.renew`)) continue;
    progress(`trust: certificates of ${algorithm}`);
    const dir = stage.newDir();
    const words = [dir, KEY_ALGORITHMS[algorithm], String(rounds), String(count)];
    for (const round of await runScript(bench, dir, "trust-issue.ts", words))
      for (const [name, value] of Object.entries(round)) add(`issue.${algorithm}.${name}`, NIAC, value);
  }
}

/** What takes an appliance that issues its own certificates. */
async function measureAppliance(bench: TrustBench, algorithm: Algorithm): Promise<void> {
  const { amounts, add, wants, inTime, inRounds } = bench;
  const { rounds, overEst } = amounts.issue;
  const cuts = algorithm === "p256" && CUT_NAMES.some(wants);
  const est = ["enroll", "reenroll"].some((name) => wants(`issue.${algorithm}.${name}`));
  if ((!cuts && !est) || !inTime(`niac with an authority, ${algorithm}`)) return;
  const authority = await Authority.start(bench, algorithm);
  if (cuts) await measureCuts(bench, authority);
  if (est && inTime("enrolment over EST")) {
    await enrolled(authority, algorithm, Math.ceil(overEst / 2), "warm");
    await inRounds(`enrolment over EST, ${algorithm}`, rounds, async (round) => {
      const measured = await enrolled(authority, algorithm, overEst, String(round));
      for (const [name, value] of Object.entries(measured)) add(`issue.${algorithm}.${name}`, NIAC, value);
    });
  }
  await authority.stop();
}

/** Each line that it prints. */
async function runScript(
  { stage, cleanup }: TrustBench,
  dir: string,
  name: string,
  words: readonly string[],
): Promise<Values[]> {
  const command = [process.execPath, "--expose-gc", join(import.meta.dirname, name), ...words];
  const child = new PinnedProcess(name, stage.proxyCore, command, join(dir, "log"));
  cleanup.add(() => child.kill());
  const lines = (await child.output()).split("\n").filter((line) => line !== "");
  return lines.map((line) => values.parse(JSON.parse(line)));
}
