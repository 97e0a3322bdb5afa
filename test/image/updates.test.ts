/** Updates of the box: what must be refused is, what is not healthy is left, what is good stays. Each with its reason on record. */
import { ALLOWED } from "../support/box/bed.ts";
import { UNHEALTHY_PATIENCE } from "../support/box/bundles.ts";
import { clustersOf } from "../support/box/medium.ts";
import { testWithBox } from "../support/box/shared.ts";
import { UpdateBed } from "../support/box/update-bed.ts";

const check = testWithBox((t) => UpdateBed.start(t));

/** Milliseconds. */
const UNHEALTHY = 15 * 60_000;
/** A register that the grant lets be written, and nobody reads. */
const WRITTEN = 12;

/** Between two requests; an emulated processor has other things to do, too. */
function pause(): Promise<false> {
  return new Promise((resolve) => setTimeout(resolve, 1_000, false));
}

// RAUC's own words, and niac's. A bundle's name is in the record as well: none of these is part of one.
const REFUSED = {
  foreign: /signature verification failed/i,
  // Where its size should stand there is what happened to be there.
  truncated: /Signature size (is 0|\(\d+\) exceeds)|Payload size \(\d+\) is not a multiple/,
  otherBoard: /the bundle is for niac-rpi4, and this box is niac-qemu-arm64/,
  older: /the bundle is 0\.0\.1, and this box takes nothing below/,
} as const;

check(
  "a bad signature, a bundle cut short, another board's and an older version are refused, each with its reason on record",
  async (t, updates) => {
    const { bundles } = updates;
    const wrong: ReadonlyArray<readonly [bundle: string, reason: RegExp]> = [
      [await bundles.foreign(), REFUSED.foreign],
      [bundles.truncated(), REFUSED.truncated],
      [await bundles.otherBoard(), REFUSED.otherBoard],
      [await bundles.older(), REFUSED.older],
    ];
    for (const [bundle, reason] of wrong) {
      const { code, output } = await updates.install(bundle);
      t.not(code, 0, bundle);
      t.regex(output, reason, bundle);
      const last = (await updates.updates()).at(-1);
      t.is(last?.detail?.["action"], "update-refused", bundle);
      t.regex(last?.reason ?? "", reason, bundle);
      t.log(`${bundle}: ${last?.reason}`);
    }
    t.is(await updates.slot(), "A");
    t.is(await updates.bed.read(ALLOWED), String(ALLOWED), "and what runs goes on");
  },
);

check(
  "a stick is read when it is plugged in: what may not be installed is refused, each on record, and nothing stays mounted",
  async (t, updates) => {
    const { bed, bundles } = updates;
    const refusals = async (): Promise<string[]> =>
      (await updates.updates())
        .filter(({ detail }) => detail?.["action"] === "update-refused" && detail["by"] === "a USB stick")
        .map(({ reason }) => reason ?? "");
    const stick = updates.stick(await bundles.foreign(), await bundles.older(), await bundles.otherBoard());
    await bed.box.plugIn(stick);
    await bed.box.until(async () => (await refusals()).length === 3, "three refusals on record");
    const said = await refusals();
    for (const reason of [REFUSED.foreign, REFUSED.older, REFUSED.otherBoard])
      t.is(said.filter((text) => reason.test(text)).length, 1, `${reason} in ${said.join("; ")}`);
    t.true(said.every((text) => text.startsWith("a USB stick may not install /run/niac-usb/")));
    await bed.box.until(
      async () => (await bed.box.out("ls -A /run/niac-usb; grep niac-usb /proc/mounts || :")) === "",
      "the stick's mount to go",
    );
    // What the stick says of itself is no fault of the box: a trial that comes later is healthy all the same.
    await bed.box.out("systemctl reset-failed 'niac-usb@*'");
    t.is(await bed.box.out("systemctl --failed --plain --no-legend"), "");
    t.is(await updates.slot(), "A");
    t.is(await bed.read(ALLOWED), String(ALLOWED));
  },
);

check(
  "an update that starts and is not healthy is left by itself, with the reason on record",
  async (t, updates) => {
    const { bed } = updates;
    const boots = bed.box.boots.length;
    const { code, output } = await updates.install(await updates.bundles.unhealthy(), "--reboot", "--now");
    t.is(code, 0, output);
    // A start, the span in which it may become healthy, and the start back.
    await bed.box.bootsAgain(boots + 1, UNHEALTHY);
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
  },
);

check(
  "a good update is installed on a slow card while the engineer reads and writes on, started on trial, called good, and kept",
  async (t, updates) => {
    const { bed, bundles } = updates;
    const boots = bed.box.boots.length;
    const lies = (): string => clustersOf(bed.box.card.file, "bootcfg", "autoboot.txt");
    const lay = lies();
    const shell = await bed.box.shell();
    const bundle = bundles.later();
    await bed.box.card.setSlow(true);
    const began = Date.now();
    const installing = updates.install(bundle);
    const took: number[] = [];
    for (let done = false; !done;) {
      const asked = Date.now();
      // Sessions and permitted writes wait for their records, which go to the same card.
      if (took.length % 2 === 0) t.is(await bed.read(ALLOWED), String(ALLOWED), "while it is installed");
      else t.is(await bed.write(WRITTEN, took.length), "written", "while it is installed");
      took.push(Date.now() - asked);
      done = await Promise.race([installing.then(() => true), pause()]);
    }
    const { code, output } = await installing;
    t.is(code, 0, output);
    await bed.box.card.setSlow(false);
    const group = "/sys/fs/cgroup/system.slice/rauc.service";
    const limits = await bed.box.out(`cat ${group}/io.max ${group}/memory.high`);
    t.regex(limits, /^\d+:0 .*wbps=4000000 .*\n134217728$/, "what holds it back is in force");
    const seconds = ((Date.now() - began) / 1000).toFixed(0);
    t.log(
      `installed in ${seconds} s, ${took.length} requests meanwhile, the slowest ${Math.max(...took)} ms`,
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
    const later = bundles.laterVersion.replaceAll(".", "\\.");
    t.regex(await bed.box.out("niac status"), new RegExp(`niac ${later}`));
    // What was called good is on trial no more: the next update is judged by what it is, and control may be started again.
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
    await bed.box.cut(1);
    await bed.box.on();
    t.is(bed.box.boot.slot, "B", "the power's going changes nothing of it");
    t.is(lies(), lay, "what says which slot starts was written in its place");
    await bed.ready();
    await bed.readsAgain();
  },
);
