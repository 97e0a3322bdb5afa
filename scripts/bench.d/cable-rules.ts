/**
 * How long a ruleset takes, run in a namespace in which a netd listens: in control's place.
 *
 *     cable-rules.ts RUN_DIR ROUNDS COUNT...    prints, for each count of destinations and round, a line of JSON: step to milliseconds
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { planOf, rulesetOf, type Ports } from "../../src/isolation/index.ts";
import { dial, NETD_SOCKET, netdAppend, netdApply } from "../../src/link/index.ts";
import { parseSite, withVersion, type Snapshot } from "../../src/site/index.ts";
import { PORTS } from "./cable-plant.ts";
import { cableSite } from "./cable-site.ts";

/** Not the one on PATH: node_modules has another program of that name. */
const NFT = "/usr/sbin/nft";
const MACS = { press: "02:00:00:00:00:12", hmi: "02:00:00:00:00:13", scada: "02:00:00:00:00:05" };
const ports: Ports = { ...PORTS, address: null, gateway: null, services: [802, 8443] };

const [runDir = "", rounds = "", ...counts] = process.argv.slice(2);
const channel = await netd();
channel.handle(netdAppend, () => null);
let version = 0;
for (const count of counts.map(Number)) {
  const snapshot = snapshotOf(count);
  // Once unmeasured: the compiler has its turn, as in a netd that has been running.
  await measure(snapshot);
  for (let round = 0; round < Number(rounds); round++) {
    process.stdout.write(`${JSON.stringify({ count, values: await measure(snapshot) })}\n`);
  }
}
channel.close();

async function measure(snapshot: Snapshot): Promise<Record<string, number>> {
  const begin = performance.now();
  const text = rulesetOf(planOf(snapshot, ports));
  const made = performance.now();
  nft("-c", "-f", "-", text);
  const checked = performance.now();
  nft("-f", "-", text);
  const loaded = performance.now();
  const { problem } = await channel.call(netdApply, { snapshot: withVersion(snapshot, ++version) });
  if (problem !== null) throw new Error(`netd did not take the ruleset: ${problem}`);
  return {
    text: made - begin,
    check: checked - made,
    load: loaded - checked,
    apply: performance.now() - loaded,
  };
}

function nft(...words: string[]): void {
  const { status, stderr } = spawnSync(NFT, words.slice(0, -1), {
    input: words.at(-1) ?? "",
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`nft: ${stderr}`);
}

function snapshotOf(destinations: number): Snapshot {
  const { snapshot, findings } = parseSite(cableSite(MACS, destinations), "bench.yaml");
  if (snapshot === null) throw new Error(`the bench's site document is wrong: ${findings[0]?.message}`);
  return snapshot;
}

async function netd(): ReturnType<typeof dial> {
  for (let left = 100; ; left--) {
    try {
      return await dial(join(runDir, NETD_SOCKET), "bench", "netd");
    } catch (error) {
      if (left === 0) throw error;
    }
    await sleep(100);
  }
}
