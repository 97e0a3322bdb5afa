/** A box that has just been taken into use: first boot, authority, an enrolled laptop. */
import { ALLOWED, BoxBed, REFUSED } from "../support/box/bed.ts";
import { testWithBox } from "../support/box/shared.ts";

const check = testWithBox((t) => BoxBed.start(t));

check(
  "an engineer's read passes; a write that no grant allows is answered with exception 01, and the machine never sees it",
  async (t, bed) => {
    t.is(await bed.read(ALLOWED), String(ALLOWED));
    t.is(await bed.write(ALLOWED, 77), "written");
    t.is(await bed.read(ALLOWED), "77");
    t.is(await bed.write(REFUSED, 1), "Illegal function");
    const seen = await bed.machine.written();
    t.deepEqual(seen, [`write holdingRegisters ${ALLOWED} [77]`]);
    const written = await bed.records("kind=write", "user=alice");
    t.true(written.length > 0, "the permitted write is on record");
    const refused = await bed.records("decision=denial", "user=alice");
    t.true(
      refused.some(({ machine }) => machine === "press"),
      "the refused one too",
    );
  },
);

check("no unit failed", async (t, { box }) => {
  t.is(await box.out("systemctl --failed --plain --no-legend"), "");
  // It waits for jobs that are still to be done.
  t.is((await box.out("systemctl is-system-running --wait || :")).trim(), "running");
});
