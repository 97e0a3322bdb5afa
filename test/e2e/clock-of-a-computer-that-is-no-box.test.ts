import test from "ava";
import { Appliance } from "../support/appliance.ts";

test("where niac does not run from its image the computer's own tools set the clock, and niac says so", async (t) => {
  const bed = await Appliance.start(t, { site: null });
  const shown = await bed.niac("clock");
  t.is(shown.code, 0, shown.err);
  t.regex(
    shown.out,
    /^clock +20\d\d-.*\nfrom +this computer, which looks after its clock itself\nlatest known /,
  );
  const refused = await bed.niac("clock", "set", "2026-10-01T18:00:00Z");
  t.is(refused.code, 1, refused.out);
  t.is(
    refused.err,
    "this appliance was not started from niac's image, and does not set this computer's clock\n" +
      "Set it with the computer's own tools (timedatectl, chrony); niac clock shows what niac makes of it.\n",
  );
  t.deepEqual(
    (await bed.records("kind=box")).filter(({ detail }) => detail?.["action"] === "clock-set"),
    [],
  );
  const wrong = await bed.niac("clock", "set", "tomorrow");
  t.is(wrong.code, 2);
  t.regex(wrong.err, /it is a date and time with its zone/);
});
