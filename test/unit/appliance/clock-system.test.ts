import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { openClock, type ClockSystem } from "../../../src/appliance/clock-system.ts";
import { UnavailableError } from "../../../src/base/index.ts";
import { until } from "../../support/processes.ts";

const TIME = 1_790_000_000;

function bed(t: ExecutionContext, patience = 5_000): { clock: ClockSystem; dir: string } {
  const dir = mkdtempSync(join(tmpdir(), "niac-clock-"));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  for (const folder of ["asked", "servers", "told"]) mkdirSync(join(dir, folder));
  const places = {
    asked: join(dir, "asked"),
    servers: join(dir, "servers"),
    told: join(dir, "told/chrony"),
    sys: join(dir, "sys"),
  };
  return { clock: openClock(places, patience), dir };
}

/** Root's side: takes what is asked, and answers. */
async function answer(dir: string, text: string): Promise<string> {
  const asked = join(dir, "asked/set");
  await until(() => existsSync(asked), "the clock to be asked for");
  const wanted = readFileSync(asked, "utf8");
  rmSync(asked);
  writeFileSync(join(dir, "asked/done"), text);
  return wanted;
}

test("the clock is asked for by a number of seconds, and set when root's side says so", async (t) => {
  const { clock, dir } = bed(t);
  t.is(clock.setTo(), null);
  const setting = clock.set(TIME);
  t.is(statSync(join(dir, "asked/set")).mode & 0o777, 0o640, "its group, root's, reads it");
  t.is(await answer(dir, `${TIME} set\n`), `${TIME}\n`);
  t.is(await setting, "set");
  t.is(clock.setTo(), TIME * 1_000);
  t.is(clock.chip(), null);
});

test("a chip that is not there or does not take it is said; a refusal, silence and another's answer are errors", async (t) => {
  const { clock, dir } = bed(t, 300);
  for (const outcome of ["none", "failed"] as const) {
    const setting = clock.set(TIME);
    await answer(dir, `${TIME} ${outcome}\n`);
    t.is(await setting, outcome);
  }
  for (const text of [`${TIME} refused\n`, `${TIME + 1} set\n`, "nonsense\n"]) {
    const setting = t.throwsAsync(clock.set(TIME), { instanceOf: UnavailableError, code: "clock-not-set" });
    await answer(dir, text);
    await setting;
  }
  await t.throwsAsync(clock.set(TIME), { message: /nobody answered/ });
});

test("time servers are written once each, readable by chrony whatever the process' mask", (t) => {
  const { clock, dir } = bed(t);
  const file = join(dir, "servers/plant.sources");
  clock.follow(["10.20.0.9"]);
  t.regex(readFileSync(file, "utf8"), /^server 10\.20\.0\.9 iburst$/m);
  t.is(statSync(file).mode & 0o777, 0o644);
  const { ino } = statSync(file);
  clock.follow(["10.20.0.9"]);
  t.is(statSync(file).ino, ino, "chrony is not told of what did not change");
  clock.follow([]);
  t.notRegex(readFileSync(file, "utf8"), /^server/m);
});

test("without chrony's word no server is known", (t) => {
  const { clock, dir } = bed(t);
  t.deepEqual(clock.following(), { followed: null, servers: [] });
  writeFileSync(join(dir, "told/chrony"), "^,?,10.20.0.9,0,7,0,4294967295,0.0,0.0,0.0\n");
  chmodSync(join(dir, "told/chrony"), 0o644);
  t.deepEqual(clock.following().servers, [{ address: "10.20.0.9", state: "silent", ahead: null }]);
});
