import { mock } from "node:test";
import * as fc from "fast-check";
import test from "ava";
import { backOff, Renewal, type Clock, type RenewalState, type Wish } from "../../../src/base/index.ts";

const HOUR = 3_600_000;
const START = Date.UTC(2026, 0, 1);

interface NameWish extends Wish {
  readonly name: string;
}

/** Time that stands still until it is told to go on; timers go with it. */
class Bed {
  readonly clock: Clock;
  readonly asked: string[] = [];
  readonly told: Array<RenewalState & { turned: boolean }> = [];
  readonly renewal: Renewal<NameWish>;
  /** Milliseconds that the wall clock was set by. */
  set = 0;
  life = 24 * HOUR;
  fail = "";
  gate: Promise<void> | null = null;
  #passed = 0;

  constructor(patience?: number) {
    this.clock = { now: () => START + this.set + this.#passed, monotonic: () => this.#passed };
    this.renewal = new Renewal<NameWish>({
      clock: this.clock,
      share: 1 / 3,
      ...(patience === undefined ? {} : { patience }),
      renew: async ({ name }) => {
        this.asked.push(name);
        await this.gate;
        if (this.fail !== "") throw new Error(this.fail);
        return { notAfter: this.clock.now() + this.life };
      },
      tell: (state, turned) => this.told.push({ ...state, turned }),
    });
  }

  /** Lets time pass in steps, and what is due with it happen. */
  async pass(time: number, step = 60_000): Promise<void> {
    for (let left = time; left > 0; left -= step) {
      const part = Math.min(step, left);
      this.#passed += part;
      mock.timers.tick(part);
      await settled();
    }
    await settled();
  }
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
}

test.before(() => mock.timers.enable({ apis: ["setTimeout"] }));
test.after(() => mock.timers.reset());

test.serial("the first wish is fulfilled at once, and again at every interval", async (t) => {
  const bed = new Bed();
  bed.renewal.wish({ every: 8 * HOUR, name: "a" });
  await settled();
  await bed.pass(8 * HOUR - 60_000);
  t.deepEqual(bed.asked, ["a"]);
  t.deepEqual(bed.renewal.state, { notAfter: START + 24 * HOUR, problem: null });
  await bed.pass(60_000);
  t.deepEqual(bed.asked, ["a", "a"]);
  await bed.pass(80 * HOUR);
  t.is(bed.asked.length, 12);
  bed.renewal.stop();
  await bed.pass(80 * HOUR);
  t.is(bed.asked.length, 12);
});

test.serial("what lives shorter is renewed sooner", async (t) => {
  const bed = new Bed();
  bed.life = 3 * HOUR;
  bed.renewal.wish({ every: 8 * HOUR, name: "a" });
  await settled();
  await bed.pass(HOUR);
  t.is(bed.asked.length, 2);
});

test.serial("another wish is fulfilled at once, the same one is not", async (t) => {
  const bed = new Bed();
  bed.renewal.wish({ every: 8 * HOUR, name: "a" });
  await settled();
  bed.renewal.wish({ every: 8 * HOUR, name: "a" });
  await settled();
  bed.renewal.wish({ every: 8 * HOUR, name: "b" });
  await settled();
  t.deepEqual(bed.asked, ["a", "b"]);
  bed.renewal.wish(null);
  await bed.pass(80 * HOUR);
  t.deepEqual(bed.asked, ["a", "b"]);
});

test.serial(
  "wishes that come while one is being fulfilled: the last one counts, and one at a time",
  async (t) => {
    const bed = new Bed();
    const { promise, resolve } = Promise.withResolvers<void>();
    bed.gate = promise;
    bed.renewal.wish({ every: 8 * HOUR, name: "a" });
    await settled();
    bed.renewal.wish({ every: 8 * HOUR, name: "b" });
    bed.renewal.now();
    bed.renewal.wish({ every: 8 * HOUR, name: "c" });
    await settled();
    t.deepEqual(bed.asked, ["a"]);
    resolve();
    await settled();
    t.deepEqual(bed.asked, ["a", "c"]);
    t.is(bed.told.length, 1, "of what nobody wishes for any more nothing is told");
  },
);

test.serial(
  "a failure keeps the old one, is told as a turn once, and is tried again until it ends",
  async (t) => {
    const bed = new Bed();
    bed.renewal.wish({ every: 8 * HOUR, name: "a" });
    await settled();
    bed.fail = "away";
    await bed.pass(16 * HOUR);
    t.deepEqual(bed.renewal.state, { notAfter: START + 24 * HOUR, problem: "away" });
    const failures = bed.told.filter(({ problem }) => problem === "away");
    // Seconds at first, and at most a sixth of the interval, 80 minutes, apart.
    t.true(failures.length > 16, String(failures.length));
    t.deepEqual(
      failures.map(({ turned }) => turned),
      failures.map((_, at) => at === 0),
    );
    bed.fail = "";
    await bed.pass(81 * 60_000);
    t.like(bed.told.at(-1), { problem: null, turned: true });
  },
);

test.serial("a failure is tried again at once where the wish comes again", async (t) => {
  const bed = new Bed();
  bed.fail = "away";
  bed.renewal.wish({ every: 8 * HOUR, name: "a" });
  await settled();
  t.like(bed.told[0], { notAfter: null, problem: "away", turned: true });
  bed.fail = "";
  bed.renewal.wish({ every: 8 * HOUR, name: "a" });
  await settled();
  t.deepEqual(bed.asked, ["a", "a"]);
});

for (const by of [-365 * 24 * HOUR, 365 * 24 * HOUR]) {
  test.serial(`a clock that was set by ${by} ms has it renewed within a minute`, async (t) => {
    const bed = new Bed();
    bed.renewal.wish({ every: 8 * HOUR, name: "a" });
    await settled();
    bed.set = by;
    await bed.pass(60_000);
    t.is(bed.asked.length, 2);
    await bed.pass(HOUR);
    t.is(bed.asked.length, 2, "and once");
  });
}

test.serial("one in use from before is renewed when its time comes", async (t) => {
  const bed = new Bed(HOUR);
  bed.renewal.resume({ every: Number.MAX_SAFE_INTEGER, name: "a" }, START + 90 * 24 * HOUR);
  await bed.pass(30 * 24 * HOUR - HOUR, HOUR);
  t.is(bed.asked.length, 0);
  await bed.pass(2 * HOUR);
  t.is(bed.asked.length, 1);
});

test("pauses between tries grow to the limit and no further, and never vanish", (t) => {
  t.notThrows(() => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        fc.integer({ min: 1, max: 10 ** 12 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (failures, most, random) => {
          const pause = backOff(failures, most, random);
          return pause > 0 && pause <= most && pause <= 1_000 * 2 ** failures;
        },
      ),
    );
  });
  t.is(backOff(1, HOUR, 1), 1_000);
  t.is(backOff(4, HOUR, 0), 4_000);
  t.is(backOff(40, HOUR, 1), HOUR);
});
