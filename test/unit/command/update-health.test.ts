import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { UnavailableError, type Channel } from "../../../src/base/index.ts";
import { updateCommand, type Surroundings } from "../../../src/command/index.ts";
import { ADMIN_SOCKET, listen, updateConfirm, updateGiveUp } from "../../../src/link/index.ts";

const NOT_YET = { healthy: false, version: "0.2.0", why: ["the gateway is away"] };
const GOOD = { healthy: true, version: "0.2.0", why: [] };

interface Bed {
  readonly failure: string;
  readonly printed: string[];
  readonly complained: string[];
  readonly wait: (patience: number, failure?: string) => Promise<unknown>;
}

/** A control that answers as `serve` says; left out: there is none. */
async function bed(t: ExecutionContext, serve?: (channel: Channel) => void): Promise<Bed> {
  const dir = mkdtempSync(join(tmpdir(), "niac-health-"));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  if (serve) {
    const server = await listen(join(dir, ADMIN_SOCKET), "control", serve);
    t.teardown(() => void server.close());
  }
  const [printed, complained, kept]: [string[], string[], string] = [[], [], join(dir, "last-failure")];
  const around: Surroundings = {
    print: (line) => void printed.push(line),
    complain: (line) => void complained.push(line),
    color: false,
    width: 120,
    user: "root",
    runDir: () => dir,
    exit: () => {},
    secret: () => Promise.resolve(null),
    interrupted: () => Promise.resolve(),
  };
  return {
    failure: kept,
    printed,
    complained,
    wait: (patience, failure = kept) => {
      const words = ["await-health", "--patience", String(patience), "--failure", failure];
      return updateCommand(around).parseAsync(words, { from: "user" });
    },
  };
}

test("asked until it is good", async (t) => {
  const answers = [NOT_YET, GOOD];
  const { wait, printed, failure } = await bed(t, (channel) => {
    channel.handle(updateConfirm, () => answers.shift() ?? GOOD);
  });
  await wait(30);
  t.deepEqual(printed, ["0.2.0 is good, and is what the box starts from now on."]);
  t.false(existsSync(failure));
});

test("not good in time: the reason is left for the other slot, then it is given up, and the command fails", async (t) => {
  const given: string[] = [];
  const { wait, failure } = await bed(t, (channel) => {
    channel.handle(updateConfirm, () => NOT_YET);
    channel.handle(updateGiveUp, ({ why }) => {
      given.push(why, readFileSync(failure, "utf8"));
      return { healthy: false, version: "0.2.0" };
    });
  });
  await t.throwsAsync(wait(3), { instanceOf: UnavailableError, code: "unhealthy" });
  const reason = "not healthy after 3 s: the gateway is away";
  t.deepEqual(given, [reason, `${reason}\n`]);
});

test("where the reason cannot be left it is given up all the same", async (t) => {
  let given = 0;
  const { wait, complained } = await bed(t, (channel) => {
    channel.handle(updateConfirm, () => NOT_YET);
    channel.handle(updateGiveUp, () => {
      given++;
      return { healthy: false, version: "0.2.0" };
    });
  });
  await t.throwsAsync(wait(0.1, "/proc/last-failure"), { code: "unhealthy" });
  t.is(given, 1);
  t.regex(complained.join(), /last-failure cannot be written/);
});

test("a control that takes its time over the answer is waited for no longer than for all the rest", async (t) => {
  const { wait, failure } = await bed(t, (channel) => {
    channel.handle(updateConfirm, () => new Promise(() => {}));
    channel.handle(updateGiveUp, () => ({ healthy: false, version: "0.2.0" }));
  });
  await t.throwsAsync(wait(0.2), { code: "unhealthy" });
  t.is(readFileSync(failure, "utf8"), "not healthy after 0.2 s: control did not answer\n");
});

test("without control, too, the reason is left", async (t) => {
  const { wait, failure } = await bed(t);
  await t.throwsAsync(wait(0.1), { code: "unhealthy" });
  t.regex(readFileSync(failure, "utf8"), /^not healthy after 0\.1 s: .*control does not answer/);
});

test("what has become the default meanwhile stays: no failure, and nothing is left", async (t) => {
  const { wait, failure, printed } = await bed(t, (channel) => {
    channel.handle(updateConfirm, () => NOT_YET);
    channel.handle(updateGiveUp, () => ({ healthy: true, version: "0.2.0" }));
  });
  await t.notThrowsAsync(wait(0.1));
  t.false(existsSync(failure));
  t.regex(printed.join(), /0\.2\.0 became what the box starts meanwhile, and stays/);
});
