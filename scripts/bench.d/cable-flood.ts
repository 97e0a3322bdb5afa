/** What a flood of refused packets costs, and what else goes on meanwhile: the flood has a core of its own, all else shares the other. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Box } from "./cable-box.ts";
import { CALM, FLOOD_NAMES, type Flood } from "./cable-rows.ts";
import type { Traffic } from "./cable-traffic.ts";
import { NIAC } from "./results.ts";
import type { Stage } from "./stage.ts";

/** Milliseconds until the ruleset's bursts are used up and the first records written. */
const BEGINNING = 1_500;
/** Packets of one flood, so that one nobody ends comes to its own. */
const MOST = 20_000_000;
/** Packets a second; with fewer it is no flood, and says nothing. */
const LEAST_PER_SECOND = 5_000;

const OPTIONS: Readonly<Record<Flood, readonly string[]>> = { oneSource: [], forged: ["--rand-source"] };

export interface FloodAmounts {
  readonly seconds: number;
  readonly reads: number;
}

type Add = (path: string, name: string, value: number) => void;

export async function measureFloods(
  box: Box,
  traffic: Traffic,
  stage: Stage,
  { seconds, reads }: FloodAmounts,
  add: Add,
): Promise<void> {
  const { proxyCore: calmCore, loadCore: floodCore } = stage;
  const alongside = async (name: string, floods: readonly Flood[]): Promise<void> => {
    const tcp = await traffic.tcp(calmCore, seconds);
    const { median } = await traffic.modbus(calmCore, reads);
    for (const flood of floods) {
      add(`cable.flood.${flood}.tcp`, name, tcp);
      add(`cable.flood.${flood}.modbusRead`, name, median);
    }
  };
  await alongside(CALM, FLOOD_NAMES);
  for (const flood of FLOOD_NAMES) {
    const sender = traffic.flood(floodCore, MOST, ...OPTIONS[flood]);
    try {
      await sleep(BEGINNING);
      const before = box.read();
      await sleep(seconds * 1_000);
      const after = box.read();
      const elapsed = after.at - before.at;
      const sent = ((after.sent - before.sent) * 1_000) / elapsed;
      if (sender.ended || sent < LEAST_PER_SECOND) {
        throw new Error(`the flood was none, ${Math.round(sent)} packets a second: ${sender.lastWords()}`);
      }
      const at = `cable.flood.${flood}`;
      add(`${at}.sent`, NIAC, sent);
      add(`${at}.lookedAt`, NIAC, ((after.lookedAt - before.lookedAt) * 1_000) / elapsed);
      add(`${at}.netdCore`, NIAC, (after.netd - before.netd) / 1e4 / elapsed);
      add(`${at}.boxCore`, NIAC, (after.all - before.all) / 1e4 / elapsed);
      await alongside(NIAC, [flood]);
    } finally {
      await sender.stop();
    }
  }
}
