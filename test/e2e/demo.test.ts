import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { demo } from "../support/demo.ts";

let temporary = "";
test.before(() => {
  temporary = mkdtempSync(join(tmpdir(), "niac-demo-test-"));
});
test.after.always(() => rmSync(temporary, { recursive: true, force: true }));

for (const [client, args] of [
  ["the tools there are", []],
  ["the demo's own client", ["--own-client"]],
] as const) {
  test.serial(`the demo's three commands do what they should, with ${client}`, async (t) => {
    const checked = demo(temporary, ["--check", ...args]);
    t.is(await checked.ended, 0, checked.text());
    t.regex(checked.text(), /\ndemo: all three commands did what they should\n$/);
    t.deepEqual(readdirSync(temporary), []);
  });
}

test.serial("the demo shows the record live, and Ctrl-C stops and removes everything", async (t) => {
  const shown = demo(temporary, []);
  t.teardown(() => shown.interrupt());
  await shown.printed("version 1");
  t.is(readdirSync(temporary).length, 1);
  shown.interrupt();
  t.is(await shown.ended, 0, shown.text());
  t.regex(shown.text(), /\ndemo: all is stopped and removed\n$/);
  t.deepEqual(readdirSync(temporary), []);
});
