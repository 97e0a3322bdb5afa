/** The codec's fuzzer, with other seeds than those of the unit test; one that finds something goes into test/vectors/modbus/seeds.json. */
import test from "ava";
import { Soak } from "../support/soak.ts";
import { accepted, fuzz, heapUsed, refused } from "../unit/modbus/fuzzer.ts";
import { Generator } from "../unit/modbus/generator.ts";

/** Inputs of a round. */
const INPUTS = 20_000;
/** Rounds after which the heap is as large as it gets. */
const WARM = 5;
const GROWTH = 8 * 2 ** 20;

// A stack for each of a million refusals is most of the time; the seed and the input are what one needs.
Error.stackTraceLimit = 0;

test("whatever comes is refused as the peer's fault or comes out as it went in, and nothing piles up", async (t) => {
  const soak = Soak.fromEnvironment();
  t.timeout(soak.patience);
  let early = 0;
  while (soak.goesOn()) {
    const seed = Math.floor(soak.chance() * 2 ** 32);
    const generator = new Generator(seed);
    try {
      for (let i = 0; i < INPUTS; i++) fuzz(generator);
    } catch (error) {
      throw new Error(`seed ${seed}, of NIAC_SEED=${soak.seed}`, { cause: error });
    }
    if (soak.rounds <= WARM) early = heapUsed();
    // ava hears nothing of a test that never yields.
    await new Promise((resolve) => setImmediate(resolve));
  }
  const grown = heapUsed() - early;
  const counts = Object.entries(accepted).map(([what, count]) => `${count} ${what}`);
  t.log(
    soak.summary(
      `${soak.rounds * INPUTS} inputs`,
      `accepted ${counts.join(", ")}`,
      `${refused.size} kinds of refusal`,
    ),
  );
  t.true(grown < GROWTH, `the heap grew by ${grown} bytes`);
});
