import test from "ava";
import type { Clock } from "../../../src/base/index.ts";
import { KnownTime } from "../../../src/control/trust-time.ts";

const MINUTE = 60_000;
const YEAR = 365 * 24 * 60 * MINUTE;
const START = Date.UTC(2026, 5, 1);

/** A clock that can be set, and one that only runs. */
class TwoClocks implements Clock {
  wall = START;
  running = 1_000;

  now(): number {
    return this.wall;
  }

  monotonic(): number {
    return this.running;
  }

  pass(milliseconds: number, time: KnownTime): void {
    for (let passed = 0; passed < milliseconds; passed += 1_000) {
      this.wall += 1_000;
      this.running += 1_000;
      time.look();
    }
  }
}

function bed(floor = 0): { clock: TwoClocks; time: KnownTime } {
  const clock = new TwoClocks();
  return { clock, time: new KnownTime(clock, floor) };
}

test("it follows the clock once that has run steadily for ten minutes, and not before", (t) => {
  const { clock, time } = bed();
  clock.pass(9 * MINUTE, time);
  t.is(time.floor, 0);
  clock.pass(MINUTE, time);
  t.is(time.floor, START + 10 * MINUTE);
  clock.pass(60 * MINUTE, time);
  t.is(time.floor, START + 70 * MINUTE, "and goes on following");
  t.is(time.behind, 0);
});

test("a clock set a year ahead for a moment poisons nothing and unlocks nothing", (t) => {
  const { clock, time } = bed();
  clock.pass(20 * MINUTE, time);
  const known = time.floor;
  clock.wall += YEAR;
  clock.pass(9 * MINUTE, time);
  t.is(time.floor, known);
  t.is(time.sure(), known, "a lock that would be over by then is not");
  clock.wall -= YEAR;
  clock.pass(9 * MINUTE, time);
  t.is(time.floor, known);
  clock.pass(2 * MINUTE, time);
  t.is(time.floor, START + 40 * MINUTE);
  t.is(time.sure(), clock.wall);
});

test("a clock set back does not take it along; it says by how much the clock stands before it", (t) => {
  const { clock, time } = bed();
  clock.pass(20 * MINUTE, time);
  clock.wall -= YEAR;
  clock.pass(60 * MINUTE, time);
  t.is(time.floor, START + 20 * MINUTE);
  t.is(time.sure(), time.floor);
  t.is(time.behind, YEAR - 60 * MINUTE);
});

test("what was known before a restart is known after it", (t) => {
  const { clock, time } = bed(START + YEAR);
  t.is(time.behind, YEAR);
  clock.pass(60 * MINUTE, time);
  t.is(time.floor, START + YEAR);
});

test("steps that are small each, and large together, are no steady run", (t) => {
  const { clock, time } = bed();
  for (let minute = 0; minute < 60; minute++) {
    clock.wall += 1_900;
    clock.pass(MINUTE, time);
  }
  t.is(time.floor, 0);
});

test("a clock that is slewed by a tenth of a percent is a steady one", (t) => {
  const { clock, time } = bed();
  for (let minute = 0; minute < 60; minute++) {
    clock.wall += 60;
    clock.pass(MINUTE, time);
  }
  t.is(time.floor, clock.wall);
});

test("what something signed has proven is known at once, and never goes back", (t) => {
  const { time } = bed();
  time.known(START + YEAR);
  t.is(time.floor, START + YEAR);
  time.known(START);
  t.is(time.floor, START + YEAR);
});

test("somebody may say that the clock is right", (t) => {
  const { clock, time } = bed(START + YEAR);
  time.accept();
  t.is(time.floor, START);
  t.is(time.behind, 0);
  clock.pass(10 * MINUTE, time);
  t.is(time.floor, START + 10 * MINUTE);
});
