/** The panel, its lines moved as fingers move them (gpio-sim), and the serial line to machines. */
import type { AuditRecord } from "../../src/audit/index.ts";
import { ALLOWED, BoxBed, REFUSED } from "../support/box/bed.ts";
import { testWithBox } from "../support/box/shared.ts";
import type { Box } from "../support/box/box.ts";
import { PymodbusMachine } from "../support/tools.ts";

/** Lines of hw/qemu-arm64/pins.yaml. */
const KEY = 8;
const COVER = 10;
const SERIAL =
  "line: { protocol: modbus-rtu, serial: { path: /dev/niac-rs485, baudRate: 19200 }, units: [1], requestTimeout: 5s }";
/** On the laptop. */
const LINE_PORT = 5503;

const check = testWithBox((t) =>
  BoxBed.start(t, {
    parts: {
      services: SERIAL,
      more: `
  - name: writes-with-the-key
    reason: Remote writes only while somebody at the press allows it
    who: { groups: [maintenance] }
    what: { machines: [press], modbus: { write: { holdingRegisters: all } } }
    when: { keySwitch: on }`,
    },
  }),
);

/** Contacts close to ground: a line that is pulled down is a contact that is closed. */
async function contact(box: Box, line: number, state: "closed" | "open"): Promise<void> {
  const pull = state === "closed" ? "pull-down" : "pull-up";
  await box.out(`echo ${pull} >/sys/devices/platform/niac-gpio/gpiochip*/sim_gpio${line}/pull`);
}

async function recorded(bed: BoxBed, action: string, ...words: string[]): Promise<AuditRecord> {
  let found: AuditRecord | undefined;
  const there = async (): Promise<boolean> => {
    found = (await bed.records("kind=box", ...words)).findLast(({ detail }) => detail?.["action"] === action);
    return found !== undefined;
  };
  await bed.box.until(there, `a record of ${action}`);
  if (found === undefined) throw new Error(`there is no record of ${action}`);
  return found;
}

function lamp(box: Box, name: string): Promise<string> {
  return box.out(`cd /sys/class/leds/niac:*:${name} && echo $(grep -o '\\[.*\\]' trigger) $(cat brightness)`);
}

check("lamps of a box at work: power and protected are on, fault is off", async (t, { box }) => {
  t.is(await lamp(box, "power"), "[none] 1");
  await box.until(async () => (await lamp(box, "protected")) === "[none] 1", "the lamp protected");
  t.is(await lamp(box, "fault"), "[none] 0");
});

check("a write that the key switch allows passes while it is on, and no longer", async (t, bed) => {
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
  t.is((await recorded(bed, "key-switch")).detail?.["state"], false);
});

check(
  "an opened cover is on record and on the fault lamp, until somebody acknowledges it",
  async (t, bed) => {
    const { box } = bed;
    await contact(box, COVER, "open");
    await box.until(async () => (await lamp(box, "fault")) === "[none] 1", "the fault lamp");
    t.is((await recorded(bed, "tamper")).detail?.["state"], true);
    await contact(box, COVER, "closed");
    await box.until(
      async () => /cover closed, opened at \S+ and not acknowledged/.test(await box.out("niac status")),
      "niac status to say so",
    );
    t.is(await lamp(box, "fault"), "[none] 1");
    await box.out("niac panel acknowledge");
    await box.until(async () => (await lamp(box, "fault")) === "[none] 0", "the fault lamp to go out");
  },
);

check(
  "a machine on the box's RS-485 line is read through it, and not written where no grant allows it",
  async (t, bed) => {
    const machine = await PymodbusMachine.start(t, await bed.box.serialLine());
    await bed.connect("press/line", LINE_PORT);
    t.is(await bed.read(ALLOWED, LINE_PORT), String(ALLOWED));
    t.is(await bed.write(ALLOWED, 42, LINE_PORT), "written");
    t.is(await bed.write(REFUSED, 1, LINE_PORT), "Illegal function");
    t.deepEqual(await machine.written(), [{ address: ALLOWED, values: [42] }]);
  },
);
