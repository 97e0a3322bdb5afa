import { RotationDay, type Shown } from "../support/rotation-day.ts";
import { Soak } from "../support/soak.ts";
import { testWith } from "../support/tools.ts";

/** Seconds that the clock goes on in a step, and steps of a round. */
const STEP = 600;
const STEPS = 13;
/** Rounds of a day with two hours more, so that the first certificate is over at the end. */
const DAY = 12;

testWith("faketime")("a day of rotations with the clock sped up loses no transaction", async (t) => {
  const soak = Soak.fromEnvironment();
  t.timeout(soak.patience);
  const sum = { days: 0, rotations: 0, connections: 0, transactions: 0 };
  const all: Shown[] = [];
  while (soak.goesOn()) {
    const day = await RotationDay.start(t);
    let rounds = 0;
    do {
      for (let step = 0; step < STEPS; step++) await day.pass(STEP);
      rounds++;
    } while (rounds < DAY && soak.goesOn());
    const whole = rounds === DAY;
    const { rotations, connections, transactions, failures } = await day.finish();
    t.deepEqual(failures, []);
    t.true(connections.every(({ from, until, now }) => from <= now && now < until));
    if (whole) {
      const serials = new Set(connections.map(({ serial }) => serial));
      t.true(rotations >= 3 && serials.size >= 3, `${rotations} rotations`);
      const first = connections[0]?.until ?? Infinity;
      t.true(first < (connections.at(-1)?.now ?? 0), "the first certificate is over at the end");
      sum.days++;
    }
    sum.rotations += rotations;
    sum.connections += connections.length;
    sum.transactions += transactions;
    all.push(...connections);
  }
  const certificates = new Set(all.map(({ serial }) => serial)).size;
  t.log(
    soak.summary(
      `${sum.days} whole days`,
      `${sum.rotations} rotations`,
      `${sum.connections} new connections with ${certificates} certificates`,
      `${sum.transactions} transactions on connections kept open`,
    ),
  );
});
