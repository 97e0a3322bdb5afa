import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { demo } from "../support/demo.ts";
import { SYSTEM_PATH } from "../support/namespaces.ts";

const root = process.getuid?.() === 0;
const serial = root ? test.serial : test.serial.skip;

let temporary = "";
test.before(() => {
  temporary = mkdtempSync(join(tmpdir(), "niac-demo-test-"));
  // As /tmp is: the gateway's own user passes through.
  chmodSync(temporary, 0o711);
});
test.after.always(() => rmSync(temporary, { recursive: true, force: true }));

function namespaces(): string[] {
  const listed = execFileSync("ip", ["netns", "list"], { encoding: "utf8", env: { PATH: SYSTEM_PATH } });
  return listed.split("\n").filter((line) => line.startsWith("niac-demo-"));
}

function nothingIsLeft(t: ExecutionContext): void {
  t.deepEqual(readdirSync(temporary), []);
  t.deepEqual(namespaces(), []);
}

serial("the inline demo's commands do what they should, and the attack reaches nothing", async (t) => {
  const checked = demo(temporary, ["--inline", "--check"]);
  t.teardown(() => checked.interrupt());
  t.is(await checked.ended, 0, checked.text());
  t.regex(checked.text(), /\ndemo: all commands did what they should, and the press heard the box alone\n$/);
  nothingIsLeft(t);
});

serial("there is one inline demo at a time, and what a killed one left is removed", async (t) => {
  const first = demo(temporary, ["--inline"]);
  t.teardown(() => first.interrupt());
  await first.printed("session opened");
  const second = demo(temporary, ["--inline"]);
  t.is(await second.ended, 1);
  t.regex(second.text(), /^demo: another scripts\/demo --inline runs on this computer/m);
  t.true(namespaces().length > 0, "the first one goes on");

  first.kill();
  const third = demo(temporary, ["--inline"]);
  t.teardown(() => third.interrupt());
  await third.printed("session opened");
  t.regex(third.text(), /^Removing what an earlier demo left/m);
  t.is(await first.ended, null, "nothing of it runs any more");
  t.is(readdirSync(temporary).length, 1, "its directory is gone too");

  third.interrupt();
  t.is(await third.ended, 0, third.text());
  t.regex(third.text(), /\ndemo: all is stopped and removed\n$/);
  nothingIsLeft(t);
});
