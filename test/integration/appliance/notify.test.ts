import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import test, { type ExecutionContext } from "ava";
import { loadNative } from "../../../src/native/index.ts";
import { Appliance } from "../../support/appliance.ts";
import { end, until } from "../../support/processes.ts";
import { testWith } from "../../support/tools.ts";

const SCRIPT = new URL("../../support/manager.py", import.meta.url).pathname;
/** Microseconds; three looks at whether a process lives are made in that time. */
const SPAN = "600000";

/** What the service manager hears. */
class Manager {
  readonly path: string;
  readonly heard: string[] = [];

  private constructor(path: string) {
    this.path = path;
  }

  static async start(t: ExecutionContext, path = ownPath(t)): Promise<Manager> {
    const manager = new Manager(path);
    const child = spawn("/usr/bin/python3", [SCRIPT, path], { stdio: ["ignore", "pipe", "inherit"] });
    t.teardown(() => end(child, "SIGKILL"));
    createInterface({ input: child.stdout }).on("line", (line) => manager.heard.push(line));
    await manager.hears("listening");
    return manager;
  }

  hears(word: string): Promise<void> {
    return until(() => this.heard.includes(word), `the service manager to hear ${word}`);
  }

  count(word: string): number {
    return this.heard.filter((one) => one === word).length;
  }
}

function ownPath(t: ExecutionContext): string {
  const dir = mkdtempSync(join(tmpdir(), "niac-manager-"));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  return join(dir, "notify");
}

const loaded = loadNative();
const native = "native" in loaded ? loaded.native : null;

testWith(...(native === null ? ["the addon"] : []))(
  "the addon's words reach a socket by path and by abstract name, and a socket that is not there is an error",
  async (t) => {
    for (const path of [ownPath(t), `@niac-test-${process.pid}`]) {
      const manager = await Manager.start(t, path);
      t.true(native?.notify(path, "STATUS=a line;\nREADY=1"));
      await manager.hears("READY=1");
      t.deepEqual(manager.heard, ["listening", "STATUS=a line;", "READY=1"]);
    }
    t.throws(() => native?.notify(ownPath(t), "READY=1"), { code: "ENOENT" });
    t.throws(() => native?.notify("@niac-test-nobody", "READY=1"), { code: "ECONNREFUSED" });
  },
);

test("control says that it is up once it listens, gives signs while its database answers, and says that it stops", async (t) => {
  const manager = await Manager.start(t);
  const bed = await Appliance.prepare(t, {
    site: null,
    environment: { NOTIFY_SOCKET: manager.path, WATCHDOG_USEC: SPAN },
  });
  await bed.run("control");
  // Signs come from the start on, before it listens too where that takes long.
  await manager.hears("READY=1");
  const signs = manager.count("WATCHDOG=1");
  await until(() => manager.count("WATCHDOG=1") > signs, "a sign from a control that listens");
  t.is(await bed.end("control"), 0);
  await manager.hears("STOPPING=1");
  t.is(manager.heard.at(-1), "STOPPING=1");
  t.is(manager.count("READY=1"), 1);
});

test("the gateway is up before there is a control, stops when told to, and gives no sign while a control keeps it waiting", async (t) => {
  const manager = await Manager.start(t);
  const bed = await Appliance.prepare(t, { site: null });
  const control = bed.launch("control");
  await bed.logged("control is ready");
  Object.assign(bed.environment, { NOTIFY_SOCKET: manager.path, WATCHDOG_USEC: SPAN });
  await bed.run("gateway");
  await manager.hears("WATCHDOG=1");

  control.kill("SIGSTOP");
  t.teardown(() => void control.kill("SIGCONT"));
  await bed.logged("no sign of life");
  const signs = manager.count("WATCHDOG=1");
  await bed.logged("control does not answer: the channel to it is given up");
  await bed.logged("control is away: sessions that read go on");
  await until(() => manager.count("WATCHDOG=1") > signs, "a sign without control");

  control.kill("SIGCONT");
  const seen = bed.log.length;
  await bed.attached(seen);
  t.is(await bed.end("gateway"), 0);
  await bed.end("control");

  const again = bed.log.length;
  const alone = await Manager.start(t);
  bed.environment["NOTIFY_SOCKET"] = alone.path;
  bed.launch("gateway");
  await alone.hears("WATCHDOG=1");
  t.is(await bed.end("gateway"), 0);
  t.false(bed.log.slice(again).includes("gateway is ready"));
});
