import test from "ava";
import { Appliance } from "../../support/appliance.ts";

test("a shell on the serial console is on record when the command is done, with what opened it", async (t) => {
  const bed = await Appliance.start(t, { site: null, parts: ["control"] });
  for (const words of [
    ["opened", "jumper"],
    ["closed", "setting"],
  ]) {
    const { code, err } = await bed.niac("console-record", ...words);
    t.is(code, 0, err);
  }
  const records = (await bed.records("kind=box")).filter(
    ({ detail }) => detail?.["action"] === "console-shell",
  );
  t.deepEqual(
    records.map(({ reason, detail }) => [reason, detail]),
    [
      [
        "a root shell on the serial console was opened: the jumper on the board is set",
        { action: "console-shell", state: "opened", why: "jumper" },
      ],
      [
        "a root shell on the serial console was closed: the settings' file says NIAC_CONSOLE=serial",
        { action: "console-shell", state: "closed", why: "setting" },
      ],
    ],
  );
  t.is((await bed.niac("console-record", "opened", "somebody")).code, 2);
});
