import { ManySessions } from "../support/many-sessions.ts";
import { Soak } from "../support/soak.ts";
import { testWith } from "../support/tools.ts";

const SESSIONS = 1_000;

testWith("pymodbus")(
  "with 1,000 sessions open a lock ends exactly those it covers before its command returns, and nobody else notices",
  async (t) => {
    const soak = Soak.fromEnvironment();
    t.timeout(soak.patience);
    const many = await ManySessions.start(t, SESSIONS);
    let ended = 0;
    while (soak.goesOn()) {
      const user = many.users[Math.floor(soak.chance() * many.users.length)] ?? "";
      const reason = `round ${soak.rounds}`;
      const lock = await many.lock(user, reason);
      await many.recorded(user, lock, reason);
      ended += SESSIONS / many.users.length;
      const unlocked = await many.bed.niac("unlock", lock, "--reason", "next round");
      t.is(unlocked.code, 0, unlocked.err);
      await many.open(user);
    }
    t.log(soak.summary(`${SESSIONS} sessions`, `${ended} of them ended and opened again`));
  },
);
