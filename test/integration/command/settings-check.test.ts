import test from "ava";
import { Appliance } from "../../support/appliance.ts";

test("niac settings check says what is wrong by line, and prints a good file in its plain form", async (t) => {
  const bed = await Appliance.start(t, { site: null, parts: [] });
  const good = bed.write("niac.conf", "\uFEFF# hall 3\r\nNIAC_ORIGIN = press-hall-3\r\n");
  const plain = await bed.niac("settings", "check", "--image", "--print", good);
  t.deepEqual([plain.code, plain.out, plain.err], [0, "NIAC_ORIGIN=press-hall-3\n", ""]);
  t.is((await bed.niac("settings", "check", good)).out, `${good} is good\n`);
  const bad = await bed.niac(
    "settings",
    "check",
    "--image",
    bed.write("bad.conf", "\nNIAC_UPLINK=eth0\nnonsense\n"),
  );
  t.is(bad.code, 1);
  t.is(
    bad.err,
    'line 2: NIAC_UPLINK is set by the box\'s image, and by no file\nline 3: "nonsense" is no NAME=value; a value with blanks or # stands in quotes\n',
  );
  t.is((await bed.niac("settings", "check", "/nowhere")).code, 2);
});
