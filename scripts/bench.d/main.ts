/** Wires the bench: reads the command line, sees what is here, measures, reports. */
import { existsSync, writeFileSync } from "node:fs";
import { cpus, release } from "node:os";
import { join, resolve } from "node:path";
import { z } from "zod";
import { cableMissing, CABLE_FULL, CABLE_QUICK, measureCable } from "./cable.ts";
import { CABLE_ROWS } from "./cable-rows.ts";
import { Cleanup } from "./cleanup.ts";
import { FULL, QUICK } from "./measure.ts";
import { niac } from "./niac.ts";
import { HELP, readOptions, type Options } from "./options.ts";
import { allPeers, processorName } from "./peers.ts";
import { picture } from "./picture.ts";
import { PinnedProcess } from "./processes.ts";
import { profile, workFor } from "./profile.ts";
import type { Proxy } from "./proxy.ts";
import { table, toJson } from "./report.ts";
import { NIAC, ROWS, Samples, type Results } from "./results.ts";
import { measureProxies, type Progress } from "./run.ts";
import { setStage, type Stage } from "./stage.ts";

/** Seconds: no round begins that would not end before `aim`, no measurement after `stop`; at `limit` the bench gives up. */
const TIME = {
  quick: { aim: 180, stop: 205, limit: 238 },
  full: { aim: 840, stop: 1_020, limit: 1_320 },
} as const;
const ROUNDS = { quick: 5, full: 7 } as const;
const POLICY = resolve(import.meta.dirname, "../../src/policy/index.ts");

const decisionValues = z.record(z.string(), z.number());

async function main(): Promise<void> {
  const proxies = [niac(), ...allPeers()];
  const options = readOptions(
    process.argv.slice(2),
    proxies.map((proxy) => proxy.name),
  );
  if (options === null) {
    process.stdout.write(HELP);
    return;
  }
  const chosen = proxies.filter((proxy) => options.proxies?.includes(proxy.name) ?? true);
  const present = chosen.filter((proxy) => proxy.version !== null);
  const leftOut = chosen
    .filter((proxy) => proxy.version === null)
    .map((proxy) => `${proxy.name} (${proxy.missing})`);
  const withoutCable = options.profile || !wantsCable(options) ? "" : cableMissing();
  if (withoutCable !== null && withoutCable !== "") leftOut.push(`the box in the cable (${withoutCable})`);
  const time = TIME[options.quick ? "quick" : "full"];
  const cleanup = Cleanup.install(time.limit);
  const progress = progressTo(process.stderr);
  for (const what of leftOut) progress(`left out: ${what}`);

  const stage = await setStage(cleanup);
  if (options.profile) {
    const own = present.find((proxy) => proxy.name === NIAC);
    if (own === undefined) throw new Error("--profile is of niac, which is not here or not chosen");
    console.log(await profile(stage, own, workFor(options.only), QUICK, progress));
    return;
  }
  const results = await measure(stage, cleanup, present, options, withoutCable === null, leftOut, progress);
  if (options.svg !== null) writeFileSync(options.svg, picture(results));
  console.log(options.json ? JSON.stringify(toJson(results)) : table(results));
}

async function measure(
  stage: Stage,
  cleanup: Cleanup,
  proxies: readonly Proxy[],
  options: Options,
  withCable: boolean,
  leftOut: string[],
  progress: Progress,
): Promise<Results> {
  const amounts = options.quick ? QUICK : FULL;
  const date = new Date().toISOString();
  const samples = new Samples();
  const decisions = ROWS.filter((row) => /^(decisions|denials)PerSecond/.test(row.path)).map(
    (row) => row.path,
  );
  if (decisions.some((path) => path.startsWith(options.only)) && existsSync(POLICY)) {
    progress("decisions");
    const values = await measureDecisions(stage, cleanup);
    for (const path of decisions.filter((known) => known.startsWith(options.only))) {
      const value = values[path];
      if (value !== undefined) samples.add(path, NIAC, value);
    }
  }
  if (withCable) {
    const cable = options.quick ? CABLE_QUICK : CABLE_FULL;
    const rounds = options.rounds ?? cable.rounds;
    try {
      await measureCable(stage, cleanup, { ...cable, rounds }, options.only, samples, progress);
    } catch (error) {
      // What was measured is shown, what was not is named; the proxies do not depend on it.
      const what = `the rest of the box in the cable (${error instanceof Error ? error.message : String(error)})`;
      leftOut.push(what);
      progress(`left out: ${what}`);
    }
  }
  const time = TIME[options.quick ? "quick" : "full"];
  const plan = {
    amounts,
    quick: options.quick,
    only: options.only,
    rounds: options.rounds ?? ROUNDS[options.quick ? "quick" : "full"],
    memoryRounds: options.quick ? 1 : 3,
    until: time.aim * 1_000,
    stop: time.stop * 1_000,
  };
  await measureProxies(stage, proxies, plan, samples, progress);
  return {
    surroundings: {
      date,
      quick: options.quick,
      processor: processorName(),
      cores: cpus().length,
      kernel: release(),
      node: process.version,
      proxyCore: stage.proxyCore,
      loadCore: stage.loadCore,
      versions: Object.fromEntries(proxies.map((proxy) => [proxy.name, proxy.version ?? ""])),
      leftOut,
      idleSessions: amounts.idleSessions,
    },
    comparisons: samples.compare(),
  };
}

function wantsCable({ only, proxies }: Options): boolean {
  return (proxies?.includes(NIAC) ?? true) && CABLE_ROWS.some(({ path }) => path.startsWith(only));
}

async function measureDecisions(stage: Stage, cleanup: Cleanup): Promise<Record<string, number>> {
  const command = [process.execPath, join(import.meta.dirname, "decisions.ts")];
  const child = new PinnedProcess(
    "decisions",
    stage.proxyCore,
    command,
    join(stage.newDir(), "decisions.log"),
  );
  cleanup.add(() => child.kill());
  return decisionValues.parse(JSON.parse(await child.firstLine()));
}

/** Progress goes apart from the results, which may be read by a program. */
function progressTo(stream: NodeJS.WriteStream): Progress {
  return (what) => stream.write(`bench: ${Math.round(performance.now() / 1_000)} s  ${what}\n`);
}

try {
  await main();
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
  if (error instanceof Error && error.cause instanceof Error) console.error(`bench: ${error.cause.message}`);
  process.exitCode = 1;
}
// Whatever still runs is ended by the clean-up; a failed run must not wait for it.
process.exit();
