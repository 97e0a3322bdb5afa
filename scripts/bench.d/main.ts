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
import { NIAC, ROWS, Samples, type Results, type Row } from "./results.ts";
import { measureProxies, type Progress } from "./run.ts";
import { setStage, type Stage } from "./stage.ts";
import { trustPeers } from "./trust-peers.ts";
import { TRUST_ROWS } from "./trust-rows.ts";
import { measureTrust, TRUST_FULL, TRUST_QUICK, withRounds } from "./trust.ts";

/** Seconds: no round begins that would not end before `aim`, no measurement after `stop`; at `limit` the bench gives up. */
const TIME = {
  quick: { aim: 180, stop: 205, limit: 238 },
  full: { aim: 1_260, stop: 1_440, limit: 1_740 },
} as const;
const ROUNDS = { quick: 5, full: 7 } as const;
const POLICY = resolve(import.meta.dirname, "../../src/policy/index.ts");

const decisionValues = z.record(z.string(), z.number());

async function main(): Promise<void> {
  const proxies = [niac(), ...allPeers()];
  const ofTrust = trustPeers();
  const options = readOptions(process.argv.slice(2), [
    ...new Set([...proxies, ...ofTrust].map((proxy) => proxy.name)),
  ]);
  if (options === null) {
    process.stdout.write(HELP);
    return;
  }
  const isChosen = ({ name }: Proxy): boolean => options.proxies?.includes(name) ?? true;
  const chosen = proxies.filter(isChosen);
  const present = chosen.filter((proxy) => proxy.version !== null);
  const leftOut = chosen
    .filter((proxy) => proxy.version === null)
    .map((proxy) => `${proxy.name} (${proxy.missing})`);
  const withoutCable = options.profile || !wants(CABLE_ROWS, options) ? "" : cableMissing();
  const trust = wants(TRUST_ROWS, options)
    ? ofTrust.filter((proxy) => isChosen(proxy) && proxy.version !== null)
    : null;
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
  const sides = { proxies: present, cable: withoutCable === null, trust };
  const results = await measure(stage, cleanup, sides, options, leftOut, progress);
  if (options.svg !== null) writeFileSync(options.svg, picture(results));
  console.log(options.json ? JSON.stringify(toJson(results)) : table(results));
}

/** Who is measured and compared. */
interface Sides {
  readonly proxies: readonly Proxy[];
  readonly cable: boolean;
  /** Peers of the rows of trust; null: these are not measured. */
  readonly trust: readonly Proxy[] | null;
}

async function measure(
  stage: Stage,
  cleanup: Cleanup,
  { proxies, cable, trust }: Sides,
  options: Options,
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
  // What was measured is shown, what was not is named; the rest does not depend on it.
  const part = async (what: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      leftOut.push(`the rest of ${what} (${error instanceof Error ? error.message : String(error)})`);
      progress(`left out: ${leftOut.at(-1) ?? ""}`);
    }
  };
  if (cable) {
    const wanted = options.quick ? CABLE_QUICK : CABLE_FULL;
    const rounds = options.rounds ?? wanted.rounds;
    await part("the box in the cable", () =>
      measureCable(stage, cleanup, { ...wanted, rounds }, options.only, samples, progress),
    );
  }
  if (trust !== null) {
    const wanted = withRounds(options.quick ? TRUST_QUICK : TRUST_FULL, options.rounds);
    await part("trust", () => measureTrust(stage, cleanup, wanted, options.only, trust, samples, progress));
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
      versions: Object.fromEntries(
        [...proxies, ...(trust ?? [])].map((proxy) => [proxy.name, proxy.version ?? ""]),
      ),
      leftOut,
      idleSessions: amounts.idleSessions,
    },
    comparisons: samples.compare(),
  };
}

function wants(rows: readonly Row[], { only, proxies }: Options): boolean {
  return (proxies?.includes(NIAC) ?? true) && rows.some(({ path }) => path.startsWith(only));
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
