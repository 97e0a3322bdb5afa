/**
 * What a box goes through in its life: an update that is no good, one that is, and the power's going, with nothing else under way and in the
 * middle of an update. One box, each test goes on from the one before; every start in here is one that the box makes or must make.
 */
import { ALLOWED, WRITTEN } from "../support/box/bed.ts";
import { UNHEALTHY_PATIENCE } from "../support/box/bundles.ts";
import { DISK } from "../support/box/image.ts";
import { clustersOf } from "../support/box/medium.ts";
import { cutDuringUpdate } from "../support/box/power-cut.ts";
import { chance, SEED } from "../support/seed.ts";
import { secondsSince, testWithBox } from "../support/box/shared.ts";
import { UpdateBed } from "../support/box/update-bed.ts";

const began = Date.now();
const check = testWithBox((t) => UpdateBed.start(t));
const next = chance(SEED);

/** Milliseconds. */
const UNHEALTHY = 20 * 60_000;

/** Between two requests; an emulated processor has other things to do, too. */
function pause(): Promise<false> {
  return new Promise((resolve) => setTimeout(resolve, 1_000, false));
}

check(
  "an update that starts and is not healthy is left by itself, with the reason on record",
  async (t, updates) => {
    const { bed } = updates;
    t.log(`the box at work after ${secondsSince(began)}`);
    const boots = bed.box.boots.length;
    const { code, output } = await updates.install(await updates.bundles.unhealthy(), "--reboot", "--now");
    t.is(code, 0, output);
    t.log(`installed after ${secondsSince(began)}`);
    // A start, the span in which it may become healthy, and the start back.
    await bed.box.bootsAgain(boots + 1, UNHEALTHY);
    t.log(`left after ${secondsSince(began)}`);
    const trial = bed.box.boots.at(boots);
    t.deepEqual([trial?.slot, trial?.tryboot], ["B", true]);
    t.deepEqual([bed.box.boot.slot, bed.box.boot.tryboot], ["A", false]);
    await bed.ready();
    await bed.box.until(
      async () => (await updates.actions()).includes("update-rolled-back"),
      "the record of it",
    );
    const left = (await updates.updates()).findLast(
      ({ detail }) => detail?.["action"] === "update-rolled-back",
    );
    t.regex(left?.reason ?? "", new RegExp(`not healthy after ${UNHEALTHY_PATIENCE} s: .*gateway`));
    t.log(left?.reason);
    t.is(await bed.byDefault(), "2");
    await bed.readsAgain();
    t.log(`at work again after ${secondsSince(began)}`);
  },
);

check(
  "a good update is installed on a slow card while the engineer reads and writes on, started on trial, and called good",
  async (t, updates) => {
    const { bed, bundles } = updates;
    const boots = bed.box.boots.length;
    const shell = await bed.box.shell();
    const bundle = bundles.later();
    await bed.box.card.setSlow(true);
    const asked = Date.now();
    const installing = updates.install(bundle);
    const took: number[] = [];
    for (let done = false; !done;) {
      const since = Date.now();
      // Sessions and permitted writes wait for their records, which go to the same card.
      if (took.length % 2 === 0) t.is(await bed.read(ALLOWED), String(ALLOWED), "while it is installed");
      else t.is(await bed.write(WRITTEN, took.length), "written", "while it is installed");
      took.push(Date.now() - since);
      done = await Promise.race([installing.then(() => true), pause()]);
    }
    const { code, output } = await installing;
    t.is(code, 0, output);
    await bed.box.card.setSlow(false);
    const group = "/sys/fs/cgroup/system.slice/rauc.service";
    const limits = await bed.box.out(`cat ${group}/io.max ${group}/memory.high`);
    t.regex(limits, /^\d+:0 .*wbps=4000000 .*\n134217728$/, "what holds it back is in force");
    t.log(
      `installed in ${secondsSince(asked)}, ${took.length} requests meanwhile, the slowest ${Math.max(...took)} ms`,
    );
    // Its answer may be lost in the restart.
    void shell.run("niac update reboot --now").catch(() => undefined);
    await bed.box.bootsAgain(boots);
    t.deepEqual([bed.box.boot.slot, bed.box.boot.tryboot], ["B", true]);
    await bed.ready();
    await bed.box.until(
      async () => (await updates.actions()).at(-1) === "update-good",
      "it to be called good",
    );
    await bed.becomesDefault("3");
    t.log(`called good after ${secondsSince(began)}`);
  },
);

check(
  "what was called good is on trial no more: control may start again, and the next update is judged by what it is",
  async (t, updates) => {
    const { bed, bundles } = updates;
    const later = bundles.laterVersion.replaceAll(".", "\\.");
    t.regex(await bed.box.out("niac status"), new RegExp(`niac ${later}`));
    const again = await bed.box.shell();
    await again.run("systemctl restart niac-control");
    await bed.box.until(async () => (await again.run("niac status")).code === 0, "control to answer again");
    const between = await updates.ofVersion("0.50.0");
    const refused = await updates.install(between);
    t.not(refused.code, 0);
    t.regex(refused.output, new RegExp(`the bundle is 0\\.50\\.0, older than ${later}, which runs`));
    t.is((await updates.actions()).at(-1), "update-refused");
    t.false((await updates.actions()).slice(-2).includes("update-rolled-back"));
    t.is(await bed.byDefault(), "3");
  },
);

check(
  "the power's going changes nothing of it: with nobody at the box, the engineer's first read passes; what was flushed is there",
  async (t, { bed }) => {
    const { box } = bed;
    await box.out("echo kept >/data/kept && sync && echo lost >/data/lost");
    t.log(`${await box.cut(SEED)} blocks were lost`);
    await box.on();
    t.is(box.boot.slot, "B");
    const read = await bed.firstRead();
    t.log(`first permitted read ${((read - box.boot.began) / 1000).toFixed(1)} s after the power`);
    t.is(
      clustersOf(box.card.file, "bootcfg", "autoboot.txt"),
      clustersOf(DISK, "bootcfg", "autoboot.txt"),
      "what says which slot starts was written in its place",
    );
    await bed.ready();
    t.is(
      await box.out("cat /data/kept; cat /data/lost 2>/dev/null || :"),
      "kept",
      "the card of this bed forgets what was not flushed, and keeps what was",
    );
    t.is(await box.out("systemctl --failed --plain --no-legend"), "");
    t.true((await bed.recordIsWhole()) > 0);
    await bed.readsAgain();
    t.log(`at work again after ${secondsSince(began)}`);
  },
);

check(`the power goes at a random moment of the next update (NIAC_SEED=${SEED})`, async (t, updates) => {
  t.log(await cutDuringUpdate(t, updates, next() < 0.5 ? "commit" : "all", next));
  t.log(`at work again after ${secondsSince(began)}`);
});
