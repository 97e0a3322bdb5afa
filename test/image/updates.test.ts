/** Updates of the box: what must be refused is, what is not healthy is left, what is good stays. Each with its reason on record. */
import { ALLOWED } from "../support/box/bed.ts";
import { testWithBox } from "../support/box/shared.ts";
import { UpdateBed } from "../support/box/update-bed.ts";

const check = testWithBox((t) => UpdateBed.start(t));

/** Between two reads; an emulated processor has other things to do, too. */
function pause(): Promise<false> {
  return new Promise((resolve) => setTimeout(resolve, 1_000, false));
}

check(
  "a bad signature, a bundle cut short, another board's and an older version are refused, each with its reason on record",
  async (t, updates) => {
    const { bundles } = updates;
    const wrong: ReadonlyArray<readonly [bundle: string, reason: RegExp]> = [
      [await bundles.foreign(), /sign/i],
      [bundles.truncated(), /sign|cut|bundle/i],
      [await bundles.otherBoard(), /board|rpi4/i],
      [await bundles.older(), /nothing below/],
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
  "an update that starts and is not healthy is left by itself, with the reason on record",
  async (t, updates) => {
    const { bed } = updates;
    const boots = bed.box.boots.length;
    const { code, output } = await updates.install(await updates.bundles.unhealthy(), "--reboot", "--now");
    t.is(code, 0, output);
    await bed.box.bootsAgain(boots + 1);
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
    t.regex(left?.reason ?? "", /gateway/);
    t.log(left?.reason);
    t.is(await updates.byDefault(), "2");
    t.is(await bed.read(ALLOWED), String(ALLOWED));
  },
);

check(
  "a good update is installed while the engineer reads on, started on trial, called good, and kept",
  async (t, updates) => {
    const { bed, bundles } = updates;
    const boots = bed.box.boots.length;
    const shell = await bed.box.shell();
    const bundle = bundles.later();
    const began = Date.now();
    const installing = updates.install(bundle);
    let reads = 0;
    for (let done = false; !done; reads++) {
      t.is(await bed.read(ALLOWED), String(ALLOWED), "while it is installed");
      done = await Promise.race([installing.then(() => true), pause()]);
    }
    const { code, output } = await installing;
    t.is(code, 0, output);
    t.log(`installed in ${((Date.now() - began) / 1000).toFixed(0)} s, ${reads} reads meanwhile`);
    // Its answer may be lost in the restart.
    void shell.run("niac update reboot --now").catch(() => undefined);
    await bed.box.bootsAgain(boots);
    t.deepEqual([bed.box.boot.slot, bed.box.boot.tryboot], ["B", true]);
    await bed.ready();
    await bed.box.until(
      async () => (await updates.actions()).at(-1) === "update-good",
      "it to be called good",
    );
    t.is(await updates.byDefault(), "3");
    t.regex(
      await bed.box.out("niac status"),
      new RegExp(`niac ${bundles.laterVersion.replaceAll(".", "\\.")}`),
    );
    await bed.box.cut(1);
    await bed.box.on();
    t.is(bed.box.boot.slot, "B", "the power's going changes nothing of it");
    await bed.ready();
    t.is(await bed.read(ALLOWED), String(ALLOWED));
  },
);
