/** The box in the cable: forwarding beside a box that merely forwards, Modbus reads, rulesets, and what a flood of refused packets does. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { z } from "zod";
import { SYSTEM_PATH } from "../../test/support/namespaces.ts";
import { Box, PORT_SETTINGS } from "./cable-box.ts";
import { measureFloods, type FloodAmounts } from "./cable-flood.ts";
import { forwardOnly, makeLoneBox, makePlant } from "./cable-plant.ts";
import { CABLE, CABLE_ROWS, DESTINATIONS, FORWARDING, RULESETS } from "./cable-rows.ts";
import { Traffic } from "./cable-traffic.ts";
import { Cleanup } from "./cleanup.ts";
import { launch, runDirOf } from "./niac.ts";
import { PinnedProcess } from "./processes.ts";
import { NIAC, type Samples } from "./results.ts";
import type { Progress } from "./run.ts";
import type { Stage } from "./stage.ts";

export interface CableAmounts {
  /** How many the site document has, each measured apart; the first one's for all but forwarding. */
  readonly destinations: readonly number[];
  readonly rounds: number;
  /** Of one measurement of forwarding; whole ones, as iperf3 takes them. */
  readonly seconds: number;
  readonly reads: number;
  readonly rulesetRounds: number;
  readonly commandRounds: number;
  readonly floodRounds: number;
  readonly flood: FloodAmounts;
  /** Milliseconds after which no second round of anything begins. */
  readonly time: number;
}

export const CABLE_QUICK: CableAmounts = {
  destinations: DESTINATIONS.slice(0, 2),
  rounds: 2,
  seconds: 1,
  reads: 1_000,
  rulesetRounds: 2,
  commandRounds: 1,
  floodRounds: 1,
  flood: { seconds: 1, reads: 500 },
  time: 55_000,
};

export const CABLE_FULL: CableAmounts = {
  destinations: DESTINATIONS,
  rounds: 5,
  seconds: 2,
  reads: 4_000,
  rulesetRounds: 5,
  commandRounds: 3,
  floodRounds: 4,
  flood: { seconds: 2, reads: 2_000 },
  time: 360_000,
};

const TOOLS = { ip: "iproute2", nft: "nftables", conntrack: "conntrack", iperf3: "iperf3", hping3: "hping3" };
/** Modbus reads before those that are measured. */
const WARM_UP = 2_000;
const ADDON = resolve(import.meta.dirname, "../../build/niac-net.node");
const RULES = join(import.meta.dirname, "cable-rules.ts");

/** Why the cable's rows cannot be measured here; null: they can. */
export function cableMissing(): string | null {
  if (process.getuid?.() !== 0) return "namespaces and the ruleset take root";
  if (!existsSync(ADDON)) return "the network addon is not built: it takes gcc";
  const missing = Object.entries(TOOLS).filter(([tool]) => !isInstalled(tool));
  if (missing.length > 0) return `apt-get install ${missing.map(([, name]) => name).join(" ")}`;
  const made = spawnSync("unshare", ["-n", "true"], { encoding: "utf8" });
  return made.status === 0 ? null : `network namespaces cannot be made: ${made.stderr.trim()}`;
}

function isInstalled(tool: string): boolean {
  return spawnSync("sh", ["-c", `command -v ${tool}`], { env: { PATH: SYSTEM_PATH } }).status === 0;
}

interface Bench {
  readonly stage: Stage;
  readonly cleanup: Cleanup;
  readonly amounts: CableAmounts;
  readonly add: (path: string, name: string, value: number) => void;
  readonly progress: Progress;
  /** Whether a row that begins so is asked for. */
  readonly wants: (beginning: string) => boolean;
  /** Runs them as long as there is time, the first one in any case; the number counts from 1. */
  readonly inRounds: (what: string, rounds: number, one: (round: number) => Promise<void>) => Promise<void>;
}

/** `only`: the beginning of the paths wanted. */
export async function measureCable(
  stage: Stage,
  cleanup: Cleanup,
  amounts: CableAmounts,
  only: string,
  samples: Samples,
  progress: Progress,
): Promise<void> {
  const wants = (beginning: string): boolean =>
    CABLE_ROWS.some(({ path }) => path.startsWith(beginning) && path.startsWith(only));
  const add = (path: string, name: string, value: number): void => {
    if (path.startsWith(only)) samples.add(path, name, value);
  };
  const end = performance.now() + amounts.time;
  const inRounds: Bench["inRounds"] = async (what, rounds, one) => {
    for (let round = 1; round <= rounds && (round === 1 || performance.now() < end); round++) {
      progress(`cable: ${what}, round ${round} of ${rounds}`);
      await one(round);
    }
  };
  const own = new Cleanup();
  cleanup.add(() => own.run());
  const bench: Bench = { stage, cleanup: own, amounts, add, progress, wants, inRounds };
  try {
    if (wants(`${CABLE}ruleset`)) await measureRulesets(bench);
    await measurePlants(bench);
  } finally {
    own.run();
  }
}

async function measurePlants(bench: Bench): Promise<void> {
  const { stage, cleanup, amounts, add, progress, wants, inRounds } = bench;
  progress("cable: making two plants");
  const [ours, theirs] = [makePlant(cleanup), makePlant(cleanup)];
  forwardOnly(theirs);
  const box = await Box.start(stage, cleanup, ours);
  const sides: Sides = [
    [NIAC, await Traffic.start(ours, stage, cleanup)],
    [FORWARDING, await Traffic.start(theirs, stage, cleanup)],
  ];
  const [[, traffic]] = sides;
  for (const count of amounts.destinations) {
    await box.apply(count);
    if (wants(`${CABLE}forward`)) await measureForwarding(bench, sides, count);
    if (count !== amounts.destinations[0]) continue;
    // The gateway's compiler has its turn before anything is compared.
    for (const [, each] of sides) await each.modbus(stage.loadCore, WARM_UP);
    if (wants(`${CABLE}modbusRead`)) await measureReads(bench, sides);
    if (!wants(`${CABLE}flood`)) continue;
    await inRounds("floods", amounts.floodRounds, () =>
      measureFloods(box, traffic, stage, amounts.flood, add),
    );
  }
  if (wants(`${CABLE}ruleset`)) {
    await inRounds("site documents applied", amounts.commandRounds, async () => {
      for (const count of RULESETS)
        add(`${CABLE}ruleset.rules${count}.command`, NIAC, await box.apply(count));
    });
  }
  await box.stop();
}

type Sides = readonly [readonly [string, Traffic], readonly [string, Traffic]];

/** Who goes first changes with each round. */
function inTurn([ours, theirs]: Sides, round: number): Sides {
  return round % 2 === 1 ? [ours, theirs] : [theirs, ours];
}

async function measureForwarding(bench: Bench, sides: Sides, count: number): Promise<void> {
  const { stage, amounts, add, inRounds } = bench;
  const { loadCore } = stage;
  const kinds = ["tcp", "packets", "connections"] as const;
  await inRounds(`forwarding with ${count} destinations`, amounts.rounds, async (round) => {
    for (const kind of kinds) {
      for (const [name, traffic] of inTurn(sides, round)) {
        add(`${CABLE}forward.${kind}.rules${count}`, name, await traffic[kind](loadCore, amounts.seconds));
      }
    }
  });
}

async function measureReads({ stage, amounts, add, inRounds }: Bench, sides: Sides): Promise<void> {
  await inRounds("Modbus reads", amounts.rounds, async (round) => {
    for (const [name, traffic] of inTurn(sides, round)) {
      const { median, p99 } = await traffic.modbus(stage.loadCore, amounts.reads);
      add(`${CABLE}modbusRead.median`, name, median);
      add(`${CABLE}modbusRead.p99`, name, p99);
    }
  });
}

const ruleset = z.object({ count: z.number(), values: z.record(z.string(), z.number()) });

async function measureRulesets({ stage, cleanup, amounts, add, progress }: Bench): Promise<void> {
  progress("cable: rulesets");
  const net = makeLoneBox(cleanup);
  const place = stage.place();
  const netd = launch(place, net.inside("box"), PORT_SETTINGS, "netd");
  cleanup.add(() => netd.process.kill());
  const words = [RULES, runDirOf(place), String(amounts.rulesetRounds), ...RULESETS.map(String)];
  const command = net.inside("box", process.execPath, ...words);
  const child = new PinnedProcess("rulesets", stage.proxyCore, command, join(place.dir, "rulesets.log"));
  cleanup.add(() => child.kill());
  for (const line of (await child.output()).trim().split("\n")) {
    const { count, values } = ruleset.parse(JSON.parse(line));
    for (const [step, value] of Object.entries(values))
      add(`${CABLE}ruleset.rules${count}.${step}`, NIAC, value);
  }
  await netd.process.stop();
}
