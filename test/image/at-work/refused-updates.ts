/** Updates that must not be installed, from a server and from a stick: each is refused, and the reason is on record. */
import { ALLOWED } from "../../support/box/bed.ts";
import type { Check } from "../../support/box/shared.ts";
import type { UpdateBed } from "../../support/box/update-bed.ts";

// RAUC's own words, and niac's. A bundle's name is in the record as well: none of these is part of one.
const REFUSED = {
  foreign: /signature verification failed/i,
  // Where its size should stand there is what happened to be there.
  truncated: /Signature size (is 0|\(\d+\) exceeds)|Payload size \(\d+\) is not a multiple/,
  otherBoard: /the bundle is for niac-rpi4, and this box is niac-qemu-arm64/,
  older: /the bundle is 0\.0\.1, and this box takes nothing below/,
} as const;

export function refusedUpdates(check: Check<UpdateBed>): void {
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
}
