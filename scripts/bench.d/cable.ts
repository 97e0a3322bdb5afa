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
import type { Cleanup } from "./cleanup.ts";
import { launch, runDirOf } from "./niac.ts";
import { PinnedProcess } from "./processes.ts";
import { NIAC, type Samples } from "./results.ts";
import type { Progress } from "./run.ts";
import type { Stage } from "./stage.ts";

export interface CableAmounts {
  readonly destinations: readonly number[];
  readonly rounds: number;
  /** Of one measurement of forwarding; whole ones, as iperf3 takes them. */
  readonly seconds: number;
  readonly reads: number;
  readonly rulesetRounds: number;
  readonly commandRounds: number;
  readonly floodRounds: number;
  readonly flood: FloodAmounts;
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
};

export const CABLE_FULL: CableAmounts = {
  destinations: DESTINATIONS,
  rounds: 7,
  seconds: 2,
  reads: 4_000,
  rulesetRounds: 5,
  commandRounds: 3,
  floodRounds: 5,
  flood: { seconds: 2, reads: 2_000 },
};

const TOOLS = { ip: "iproute2", nft: "nftables", conntrack: "conntrack", iperf3: "iperf3", hping3: "hping3" };
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
  const bench: Bench = { stage, cleanup, amounts, add, progress, wants };
  if (wants(`${CABLE}ruleset`)) await measureRulesets(bench);
  if ([`${CABLE}forward`, `${CABLE}modbusRead`, `${CABLE}flood`, `${CABLE}ruleset`].some(wants))
    await measurePlants(bench);
}

async function measurePlants(bench: Bench): Promise<void> {
  const { stage, cleanup, amounts, add, progress, wants } = bench;
  progress("cable: making two plants");
  const [ours, theirs] = [makePlant(cleanup), makePlant(cleanup)];
  forwardOnly(theirs);
  const box = await Box.start(stage, cleanup, ours);
  const throughNiac = await Traffic.start(ours, stage, cleanup);
  const forwarded = await Traffic.start(theirs, stage, cleanup);
  const sides = [
    [NIAC, throughNiac],
    [FORWARDING, forwarded],
  ] as const;
  const [first = DESTINATIONS[0]] = amounts.destinations;
  for (const count of amounts.destinations) {
    progress(`cable: ${count} destinations`);
    await box.apply(count);
    for (let round = 1; round <= amounts.rounds && wants(`${CABLE}forward`); round++) {
      progress(`cable: forwarding with ${count} destinations, round ${round} of ${amounts.rounds}`);
      for (const [name, traffic] of sides) {
        add(`${CABLE}forward.tcp.rules${count}`, name, await traffic.tcp(stage.loadCore, amounts.seconds));
      }
      for (const [name, traffic] of sides) {
        add(
          `${CABLE}forward.packets.rules${count}`,
          name,
          await traffic.packets(stage.loadCore, amounts.seconds),
        );
      }
      for (const [name, traffic] of sides) {
        add(
          `${CABLE}forward.connections.rules${count}`,
          name,
          await traffic.connections(stage.loadCore, amounts.seconds),
        );
      }
    }
    if (count !== first) continue;
    for (let round = 1; round <= amounts.rounds && wants(`${CABLE}modbusRead`); round++) {
      progress(`cable: Modbus reads, round ${round} of ${amounts.rounds}`);
      for (const [name, traffic] of sides) {
        const { median, p99 } = await traffic.modbus(stage.loadCore, amounts.reads);
        add(`${CABLE}modbusRead.median`, name, median);
        add(`${CABLE}modbusRead.p99`, name, p99);
      }
    }
  }
  for (let round = 1; round <= amounts.floodRounds && wants(`${CABLE}flood`); round++) {
    progress(`cable: floods, round ${round} of ${amounts.floodRounds}`);
    await measureFloods(box, throughNiac, stage, amounts.flood, add);
  }
  for (let round = 1; round <= amounts.commandRounds && wants(`${CABLE}ruleset`); round++) {
    progress(`cable: site documents applied, round ${round} of ${amounts.commandRounds}`);
    for (const count of RULESETS) add(`${CABLE}ruleset.rules${count}.command`, NIAC, await box.apply(count));
  }
  await box.stop();
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
