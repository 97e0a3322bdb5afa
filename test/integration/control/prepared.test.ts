import test from "ava";
import { Appliance } from "../../support/appliance.ts";
import { pressSite } from "../../support/sites.ts";

const SITE = pressSite(502);

test("a site document is the first one of a new box, and never takes the place of another", async (t) => {
  const bed = await Appliance.start(t, { site: null, parts: ["control"] });
  const file = bed.write("site.yaml", `\uFEFF${SITE.replaceAll("\n", "\r\n")}`);
  const note = "from the boot partition";
  const first = await bed.niac("site", "apply", "--first", "--note", note, file);
  t.is(first.code, 0, first.err);
  t.regex((await bed.niac("site", "show")).out, /^site:/m);
  const second = await bed.niac("site", "apply", "--first", file);
  t.is(second.code, 2);
  t.regex(second.err, /version 1 of a site document is in force on this box/);
  const [record, ...more] = await bed.records("kind=site");
  t.deepEqual(more, []);
  t.regex(record?.reason ?? "", /from the boot partition$/);
});

test("what was prepared is on record; what was refused is a fault of the box until it is taken", async (t) => {
  const bed = await Appliance.start(t, { site: null, parts: ["control"] });
  const report = (...words: string[]): ReturnType<Appliance["niac"]> => bed.niac("prepared-record", ...words);
  t.is((await report("settings", "refused")).code, 0);
  const refused = await bed.niac("status");
  t.regex(refused.out, /^fault +niac\.conf on the boot partition was not taken/m);
  t.is((await report("settings", "taken")).code, 0);
  t.notRegex((await bed.niac("status")).out, /niac\.conf/);
  t.is((await report("firmware", "taken")).code, 2);
  t.deepEqual(
    (await bed.records("kind=box"))
      .filter(({ detail }) => detail?.["action"] === "prepared")
      .map(({ detail }) => [detail?.["what"], detail?.["outcome"]]),
    [
      ["settings", "refused"],
      ["settings", "taken"],
    ],
  );
});
