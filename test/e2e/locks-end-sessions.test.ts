import { ManySessions } from "../support/many-sessions.ts";
import { testWith } from "../support/tools.ts";

const SESSIONS = 100;
const REASON = "left the company";

testWith("pymodbus")(
  "with 100 sessions open a lock ends exactly those it covers before its command returns, and nobody else notices",
  async (t) => {
    const many = await ManySessions.start(t, SESSIONS);
    await many.recorded("user-3", await many.lock("user-3", REASON), REASON);
  },
);
