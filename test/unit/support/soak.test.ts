import test from "ava";
import { Soak, soakLength, type SoakLength } from "../../support/soak.ts";

/** How many rounds there are where each takes `milliseconds`. */
function rounds(length: SoakLength, milliseconds: number): number {
  let now = 1_000;
  const soak = new Soak(length, 1, () => now);
  while (soak.goesOn()) now += milliseconds;
  return soak.rounds;
}

test("rounds are counted, however long they take", (t) => {
  t.is(rounds({ rounds: 12 }, 0), 12);
  t.is(rounds({ rounds: 12 }, 3_600_000), 12);
});

test("minutes run from the first round on, and the one that is under way at their end is the last", (t) => {
  t.is(rounds({ minutes: 1 }, 10_000), 6);
  t.is(rounds({ minutes: 1.05 }, 10_000), 7);
});

test("there is always one round", (t) => {
  t.is(rounds({ minutes: 0.001 }, 60_000), 1);
  t.is(rounds({ rounds: 1 }, 60_000), 1);
});

test("the environment says how long: minutes before rounds, and a dozen rounds where it says nothing", (t) => {
  t.deepEqual(soakLength({}), { rounds: 12 });
  t.deepEqual(soakLength({ NIAC_SOAK_MINUTES: "", NIAC_SOAK_ROUNDS: "" }), { rounds: 12 });
  t.deepEqual(soakLength({ NIAC_SOAK_ROUNDS: "300" }), { rounds: 300 });
  t.deepEqual(soakLength({ NIAC_SOAK_MINUTES: "2.5", NIAC_SOAK_ROUNDS: "300" }), { minutes: 2.5 });
});

test("what is no number is refused by name", (t) => {
  for (const minutes of ["0", "-1", "1e9", "ten", "1.", "20000"])
    t.throws(() => soakLength({ NIAC_SOAK_MINUTES: minutes }), { message: /^NIAC_SOAK_MINUTES is "/ });
  for (const some of ["0", "1.5", "x", "1000001"])
    t.throws(() => soakLength({ NIAC_SOAK_ROUNDS: some }), { message: /^NIAC_SOAK_ROUNDS is "/ });
});

test("the same seed gives the same chance, and the summary says it", (t) => {
  const [one, other] = [7, 7].map((seed) => new Soak({ rounds: 1 }, seed, () => 0));
  t.deepEqual([one?.chance(), one?.pick([1, 2, 3])], [other?.chance(), other?.pick([1, 2, 3])]);
  t.true(one?.goesOn());
  t.is(one?.summary("3 kills"), "1 rounds, 3 kills; NIAC_SEED=7");
});
