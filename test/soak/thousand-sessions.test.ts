import { ManySessions } from "../support/many-sessions.ts";
import { Soak } from "../support/soak.ts";
import { testWith } from "../support/tools.ts";

const MANY = 1_000;
/** In a short run: the sessions' handshakes are most of it. */
const FEWER = 300;

testWith("pymodbus")(
  "with 1,000 sessions open, 300 in a short run, a lock ends exactly those it covers before its command returns, and nobody else notices",
  async (t) => {
    const soak = Soak.fromEnvironment();
    t.timeout(soak.patience);
    const many = await ManySessions.start(t, soak.short ? FEWER : MANY);
    let ended = 0;
    while (soak.goesOn()) {
      const user = many.users[Math.floor(soak.chance() * many.users.length)] ?? "";
      const reason = `round ${soak.rounds}`;
      const lock = await many.lock(user, reason);
      await many.recorded(user, lock, reason);
      ended += many.size / many.users.length;
      const unlocked = await many.bed.niac("unlock", lock, "--reason", "next round");
      t.is(unlocked.code, 0, unlocked.err);
      await many.open(user);
    }
    t.log(soak.summary(`${many.size} sessions`, `${ended} of them ended and opened again`));
  },
);
