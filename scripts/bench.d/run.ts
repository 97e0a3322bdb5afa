/** One run: memory of fresh starts, then all proxies side by side in turn, round by round. */
import {
  isFor,
  MEMORY_PATHS,
  roundMeasurements,
  sampleMemory,
  warmUp,
  type Amounts,
  type Measurement,
  type Subject,
} from "./measure.ts";
import type { Proxy } from "./proxy.ts";
import { Samples } from "./results.ts";
import type { Stage } from "./stage.ts";

export interface Plan {
  readonly amounts: Amounts;
  readonly quick: boolean;
  /** The beginning of the paths wanted, or "" for all. */
  readonly only: string;
  readonly rounds: number;
  readonly memoryRounds: number;
  /** Milliseconds of `performance.now()`: no round begins that would not end by then. */
  readonly until: number;
  /** The same: no measurement begins after it, and what was measured by then is reported. */
  readonly stop: number;
}

/** What is being done, for somebody who waits. */
export type Progress = (what: string) => void;

export async function measureProxies(
  stage: Stage,
  proxies: readonly Proxy[],
  plan: Plan,
  samples: Samples,
  progress: Progress,
): Promise<void> {
  if (MEMORY_PATHS.some((path) => wanted(path, plan)))
    await measureMemory(stage, proxies, plan, samples, progress);
  const measurements = roundMeasurements(plan.amounts, plan.quick).filter((measurement) =>
    measurement.paths.some((path) => wanted(path, plan)),
  );
  if (measurements.length > 0) await measureRounds(stage, proxies, measurements, plan, samples, progress);
}

function wanted(path: string, plan: Plan): boolean {
  return path.startsWith(plan.only);
}

function keep(samples: Samples, plan: Plan, name: string, values: Readonly<Record<string, number>>): void {
  for (const [path, value] of Object.entries(values)) if (wanted(path, plan)) samples.add(path, name, value);
}

async function measureMemory(
  stage: Stage,
  proxies: readonly Proxy[],
  plan: Plan,
  samples: Samples,
  progress: Progress,
): Promise<void> {
  for (let round = 1; round <= plan.memoryRounds; round++) {
    progress(`memory, round ${round} of ${plan.memoryRounds}`);
    for (const proxy of proxies) {
      const subject = await stage.start(proxy);
      keep(samples, plan, proxy.name, await sampleMemory(subject, plan.amounts));
      await subject.process.stop();
    }
  }
}

async function measureRounds(
  stage: Stage,
  proxies: readonly Proxy[],
  measurements: readonly Measurement[],
  plan: Plan,
  samples: Samples,
  progress: Progress,
): Promise<void> {
  progress("starting and warming up");
  const subjects: Subject[] = [];
  for (const proxy of proxies) {
    const subject = await stage.start(proxy);
    await warmUp(subject, plan.amounts.warmUp);
    subjects.push(subject);
  }
  let longest = 0;
  for (let round = 1; round <= plan.rounds; round++) {
    const begin = performance.now();
    if (round > 1 && begin + longest > plan.until) {
      progress(`time is up after ${round - 1} rounds`);
      break;
    }
    progress(`round ${round} of ${plan.rounds}`);
    for (const measurement of measurements) {
      if (performance.now() > plan.stop) {
        progress(`time is up in round ${round}, before ${measurement.paths.join(", ")}`);
        break;
      }
      for (const subject of subjects) {
        if (isFor(measurement, subject.name))
          keep(samples, plan, subject.name, await measurement.run(subject));
      }
    }
    longest = Math.max(longest, performance.now() - begin);
  }
  await Promise.all(subjects.map((subject) => subject.process.stop()));
}
