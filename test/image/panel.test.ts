/** The panel, its lines moved as fingers move them (gpio-sim), the serial line to machines, and the clock with its chip. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AuditRecord } from "../../src/audit/index.ts";
import { ALLOWED, BoxBed, REFUSED } from "../support/box/bed.ts";
import { testWithBox } from "../support/box/shared.ts";
import type { Box } from "../support/box/box.ts";
import { HOSTS } from "../support/plant.ts";
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
      network: `timeServers: [${HOSTS.historian}]`,
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

/** Seconds by which the box's clock, and its chip's, are ahead of this computer's. */
async function ahead(box: Box): Promise<{ clock: number; chip: number }> {
  const [clock = 0, chip = 0] = (await box.out("date +%s; cat /sys/class/rtc/rtc0/since_epoch"))
    .split("\n")
    .map(Number);
  const now = Math.round(Date.now() / 1_000);
  return { clock: clock - now, chip: chip - now };
}

/** Seconds that asking takes, on a computer that is busy. */
const SLACK = 30;
const QUARTER = 900;

check("the clock comes from its chip, and is set by hand with it, on record before", async (t, bed) => {
  const { box } = bed;
  t.regex(
    await box.out("niac clock"),
    new RegExp(
      `^from +the clock chip, at the start\r?$\n^time server +${HOSTS.historian} does not answer`,
      "m",
    ),
  );
  const time = new Date(Date.now() + QUARTER * 1_000).toISOString().replace(/\.\d+/, "");
  t.regex(
    await box.out(`niac clock set ${time}`),
    /^The clock is set, and the clock chip with it\.[^]*niac clock set, to /,
  );
  const { clock, chip } = await ahead(box);
  t.true(Math.abs(clock - QUARTER) < SLACK, `${clock} s`);
  t.true(Math.abs(chip - clock) < 5, `the chip: ${chip} s`);
  const { detail, reason } = await recorded(bed, "clock-set");
  t.is(detail?.["to"], Date.parse(time));
  t.regex(reason ?? "", /^root sets the clock from /);
  t.is(await box.out("systemctl list-units --failed --plain --no-legend"), "");
});

check(
  "the box follows the plant's time server, and its chip follows it; nothing of it listens",
  async (t, bed) => {
    const { box, plant } = bed;
    const dir = mkdtempSync(join(tmpdir(), "niac-chrony-"));
    t.teardown(() => rmSync(dir, { recursive: true, force: true }));
    mkdirSync(join(dir, "own"), { mode: 0o700 });
    const lines = [
      `bindaddress ${HOSTS.historian}`,
      "allow all",
      "local stratum 5",
      "cmdport 0",
      `bindcmdaddress ${dir}/own/command.sock`,
      `pidfile ${dir}/own/pid`,
      "user root",
    ];
    writeFileSync(join(dir, "chrony.conf"), `${lines.join("\n")}\n`);
    plant.spawn("historian", "chronyd", ["-x", "-d", "-f", join(dir, "chrony.conf")]);
    const follows = async (): Promise<boolean> =>
      (await box.out("niac clock")).includes(`from         time server ${HOSTS.historian}, last at `);
    // As in a start of the box: it asks at once, and not when the turn comes of a server that was away.
    await box.out("systemctl restart niac-time");
    await box.until(follows, "the time server to be followed");
    const right = async (): Promise<boolean> => {
      const { clock, chip } = await ahead(box);
      return Math.abs(clock) < SLACK && Math.abs(chip) < SLACK;
    };
    await box.until(right, "clock and chip to be right again");
    t.regex(
      await box.out("niac clock"),
      new RegExp(`^time server +${HOSTS.historian} is followed, \\d`, "m"),
    );
    const { detail } = await recorded(bed, "clock-jumped");
    t.is(detail?.["by"], HOSTS.historian);
    // Ports 123 and 323, of NTP and of chrony's commands.
    t.is(
      await box.out(
        "cat /proc/net/udp /proc/net/tcp | grep -ci '^ *[0-9]*: [0-9a-f]*:\\(007B\\|0143\\) ' || :",
      ),
      "0",
    );
    t.regex(
      await box.out("grep -E '^(Uid|CapEff)' /proc/$(systemctl show -P MainPID niac-time)/status"),
      /^Uid:\s+956\b[^]*CapEff:\s+0000000002000000/,
    );
    t.is(await box.out("systemctl list-units --failed --plain --no-legend"), "");
  },
);
