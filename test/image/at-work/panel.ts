/** The panel, its lines moved as fingers move them (gpio-sim), and the serial line to machines. */
import { ALLOWED, REFUSED } from "../../support/box/bed.ts";
import { contact, COVER, KEY, LAMP, lamp } from "../../support/box/panel.ts";
import type { Check } from "../../support/box/shared.ts";
import type { UpdateBed } from "../../support/box/update-bed.ts";
import { PymodbusMachine } from "../../support/tools.ts";

/** What the site document has for these tests. */
export const LINE =
  "line: { protocol: modbus-rtu, serial: { path: /dev/niac-rs485, baudRate: 19200 }, units: [1], requestTimeout: 5s }";
export const KEY_GRANT = `
  - name: writes-with-the-key
    reason: Remote writes only while somebody at the press allows it
    who: { groups: [maintenance] }
    what: { machines: [press], modbus: { write: { holdingRegisters: all } } }
    when: { keySwitch: on }`;
/** On the laptop. */
const LINE_PORT = 5503;

export function panel(check: Check<UpdateBed>): void {
  check("a write that the key switch allows passes while it is on, and no longer", async (t, { bed }) => {
    const { box } = bed;
    t.is(await bed.write(REFUSED, 1), "Illegal function");
    await contact(box, KEY, "closed");
    await box.until(async () => (await bed.write(REFUSED, 2)) === "written", "the key to be heard");
    await contact(box, KEY, "open");
    await box.until(
      async () => (await bed.write(REFUSED, 3)) === "Illegal function",
      "the key's turning back to be heard",
    );
    t.is(await bed.read(ALLOWED), String(ALLOWED), "reading needs no key");
    const seen = new Set(await bed.machine.written());
    t.true(seen.has(`write holdingRegisters ${REFUSED} [2]`));
    t.false(seen.has(`write holdingRegisters ${REFUSED} [1]`));
    // What follows the first change is summed up, and on record a moment later.
    await box.until(
      async () => (await bed.recorded("key-switch")).detail?.["state"] === false,
      "the record of the key's turning back",
    );
  });

  check(
    "an opened cover is on record and on the fault lamp, until somebody acknowledges it",
    async (t, { bed }) => {
      const { box } = bed;
      await contact(box, COVER, "open");
      await box.until(async () => (await lamp(box, "fault")) === LAMP.on, "the fault lamp");
      t.is((await bed.recorded("tamper")).detail?.["state"], true);
      await contact(box, COVER, "closed");
      await box.until(
        async () => /cover closed, opened at \S+ and not acknowledged/.test(await box.out("niac status")),
        "niac status to say so",
      );
      t.is(await lamp(box, "fault"), LAMP.on);
      await box.out("niac panel acknowledge");
      await box.until(async () => (await lamp(box, "fault")) === LAMP.off, "the fault lamp to go out");
    },
  );

  check(
    "a machine on the box's RS-485 line is read through it, and not written where no grant allows it",
    async (t, { bed }) => {
      const machine = await PymodbusMachine.start(t, await bed.box.serialLine());
      await bed.connect("press/line", LINE_PORT);
      t.is(await bed.read(ALLOWED, LINE_PORT), String(ALLOWED));
      t.is(await bed.write(ALLOWED, 42, LINE_PORT), "written");
      t.is(await bed.write(REFUSED, 1, LINE_PORT), "Illegal function");
      t.deepEqual(await machine.written(), [{ address: ALLOWED, values: [42] }]);
    },
  );
}
