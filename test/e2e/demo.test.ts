import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test from "ava";

const DEMO = fileURLToPath(new URL("../../scripts/demo", import.meta.url));

interface Demo {
  readonly text: () => string;
  /** Resolves when this is in what was printed; rejects where the demo ends before. */
  printed(text: string): Promise<void>;
  /** As Ctrl-C at a terminal: to the script and all it started. */
  interrupt(): void;
  readonly ended: Promise<number | null>;
}

function demo(temporary: string, args: readonly string[]): Demo {
  const child = spawn(DEMO, args, {
    env: { ...process.env, TMPDIR: temporary },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let text = "";
  const looks = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (more: string) => {
      text += more;
      for (const look of looks) look();
    });
  }
  const ended = new Promise<number | null>((resolve) => {
    child.once("close", resolve);
  });
  const printed = (wanted: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (text.includes(wanted)) resolve();
      };
      looks.add(look);
      look();
      void ended.then((code) => reject(new Error(`the demo ended with ${code}:\n${text}`)));
    });
  const interrupt = (): void => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGINT");
  };
  return { text: () => text, printed, interrupt, ended };
}

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
