/**
 * The fuzzer by its seeds: none of the inputs may throw anything but a PeerError, none may come out other than it went in, and nothing may
 * pile up. A seed that finds something goes into test/vectors/modbus/seeds.json. The first seeds are the unit tests', all others are tried with
 * the integration tests; together they are a million inputs and more.
 */
import test from "ava";
import { accepted, fuzz, heapUsed, refused } from "./fuzzer.ts";
import { Generator } from "./generator.ts";
import { readReplies, readRequests, readRtu, readSeeds, readStreams } from "./vectors.ts";

/** Seeds of the unit tests. */
const FIRST = 4;
/** Of so many inputs at least one must have been accepted, of each kind. */
const ACCEPTED = 110;

export function tryFirstSeeds(): void {
  trySeeds(readSeeds().seeds.slice(0, FIRST));
}

export function tryOtherSeeds(): void {
  const { seeds, inputs } = readSeeds();
  test.serial("there are at least a million inputs", (t) => {
    t.true(seeds.length * inputs >= 1_000_000);
  });
  trySeeds(seeds.slice(FIRST));
}

function trySeeds(seeds: readonly number[]): void {
  const { inputs } = readSeeds();
  for (const seed of seeds) {
    test.serial(`seed ${seed}`, (t) => {
      const generator = new Generator(seed);
      const grown = withoutStacks(() => {
        for (let i = 0; i < inputs / 10; i++) fuzz(generator);
        const before = heapUsed();
        for (let i = 0; i < inputs - inputs / 10; i++) fuzz(generator);
        return heapUsed() - before;
      });
      t.true(grown < 8 * 2 ** 20, `the heap grew by ${grown} bytes`);
    });
  }

  test.serial(
    "the inputs reached every refusal there is a vector for, and were accepted often enough to mean something",
    (t) => {
      const codes = [readRequests(), readReplies(), readRtu(), readStreams()]
        .flat()
        .flatMap((vector) => ("error" in vector ? [vector.error] : []));
      for (const code of new Set(codes)) {
        // The unit is taken from the frame itself here, so that frames get past it.
        if (code !== "rtu-unit") t.true(refused.has(code), code);
      }
      const least = (seeds.length * inputs) / ACCEPTED;
      for (const [what, count] of Object.entries(accepted)) t.true(count > least, `${what}: ${count}`);
    },
  );
}

/** A stack for each of a million refusals is most of the time; the seed and the input are what one needs. */
function withoutStacks<Value>(run: () => Value): Value {
  const before = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return run();
  } finally {
    Error.stackTraceLimit = before;
  }
}
