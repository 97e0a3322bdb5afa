import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { Appliance } from "../support/appliance.ts";

test("a panel that is to be there and is not: status, the console's text and the record say so, and what to do", async (t) => {
  const appliance = await Appliance.start(t, {
    site: null,
    environment: { NIAC_PANEL: "no-such-panel", NIAC_LEDS: "no-such-box" },
  });
  const { out } = await appliance.niac("status");
  t.regex(out, /^box +.*GB of storage free$/m);
  t.regex(out, /^panel +key switch not known, what needs the key does not hold, cover not known$/m);
  t.regex(
    out,
    /^fault +the panel is not heard, .*: no input device of the board is named no-such-panel.*\n +Look at/m,
  );
  const state = (): string => readFileSync(join(appliance.dir, "run", "state.txt"), "utf8");
  await appliance.until(() => state().startsWith("closed: no site document"), "the text for the console");
  t.regex(state(), /\n! the panel is not heard, .*\n {2}Look at its wires/);
  const [record] = await appliance.recorded(1, "kind=box");
  t.like(record, { kind: "box", detail: { action: "degraded", source: "panel", wrong: true } });
  for (const lamp of ["power", "protected", "session", "refused", "fault"])
    t.is(appliance.log.split(`this box has no LED no-such-box:*:${lamp}`).length, 2, "each is told once");
  const acknowledged = await appliance.niac("panel", "acknowledge");
  t.not(acknowledged.code, 0);
  t.regex(acknowledged.err, /no opened cover waits to be acknowledged/);
});

test("a box without panel and lamps misses neither", async (t) => {
  const appliance = await Appliance.start(t, { site: null });
  const { out } = await appliance.niac("status");
  t.regex(out, /^box /m);
  t.notRegex(out, /^(panel|fault) /m);
  t.notRegex(appliance.log, /LED/);
});
