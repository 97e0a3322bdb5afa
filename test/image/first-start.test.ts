/**
 * The first start of a box that was prepared at a desk, and the electrician's ten checks of it: what whoever has just wired it looks at before
 * he leaves. On the same start then, what else the image promises of a box at work. There is no other start in here.
 */
import { ALLOWED, BoxBed, REFUSED } from "../support/box/bed.ts";
import { contact, KEY, LAMP, lamp } from "../support/box/panel.ts";
import { MACS } from "../support/box/plant.ts";
import { openPorts, OWN_PORTS } from "../support/box/scan.ts";
import { KEEP_BOX, secondsSince, testWithBox } from "../support/box/shared.ts";
import { BOX, HOSTS, ROUTER } from "../support/plant.ts";
import { promises } from "./first-start/promises.ts";

/** The well-known ports, and all that niac has anywhere. */
const SOME = "1-1100,8443,15502,15503,15802";

const check = testWithBox(async (t) => {
  const bed = await BoxBed.assemble(t);
  const uplink = await bed.plant.capture("plant-sw", "br0", `ether src ${MACS.uplink}`);
  const device = await bed.plant.capture("machines-sw", "br0", `ether src ${MACS.device}`);
  await bed.box.on();
  // For the files after this one, once all was looked at.
  if (KEEP_BOX) t.teardown(() => bed.keep());
  return { bed, cables: [uplink, device] };
});

check(
  "1. while it starts the box is silent on both cables: it says to whom addresses belong, and nothing else",
  async (t, { bed, cables }) => {
    await bed.ready();
    const { boot, processorSeconds } = bed.box;
    t.log(
      `at work ${secondsSince(boot.began)} after the power, ${processorSeconds.toFixed(0)} s of processor`,
    );
    for (const cable of cables) {
      await cable.stop();
      t.deepEqual(cable.frames("!arp"), []);
    }
  },
);

check("2. it comes to work, and nothing of it failed", async (t, { bed: { box } }) => {
  t.is(await box.out("systemctl --failed --plain --no-legend"), "");
  t.is(await box.out("systemctl is-system-running --wait || :"), "running");
  t.log((await box.out("systemd-analyze time")).split("\n")[0]);
});

check("3. a laptop enrols with the code that the box gives, and is connected", async (t, { bed }) => {
  let began = Date.now();
  await bed.enrol();
  t.log(`the authority made and the laptop enrolled in ${secondsSince(began)}`);
  began = Date.now();
  await bed.connect();
  await bed.readsAgain();
  t.log(`connected in ${secondsSince(began)}`);
  t.pass("each of these fails where it does not come to that");
});

check("4. the lamps power and protected are on, and fault is off", async (t, { bed: { box } }) => {
  t.is(await lamp(box, "power"), LAMP.on);
  await box.until(async () => (await lamp(box, "protected")) === LAMP.on, "the lamp protected");
  t.is(await lamp(box, "fault"), LAMP.off);
});

check("5. a value of the machine is read", async (t, { bed }) => {
  t.is(await bed.read(ALLOWED), String(ALLOWED));
});

check("6. a value that the grant allows is written, and the machine has it", async (t, { bed }) => {
  t.is(await bed.write(ALLOWED, 77), "written");
  t.is(await bed.read(ALLOWED), "77");
  t.deepEqual(await bed.machine.written(), [`write holdingRegisters ${ALLOWED} [77]`]);
});

check(
  "7. a write that no grant allows is answered with exception 01, and the machine never sees it",
  async (t, { bed }) => {
    const before = await bed.machine.written();
    t.is(await bed.write(REFUSED, 1), "Illegal function");
    t.deepEqual(await bed.machine.written(), before);
  },
);

check(
  "8. whoever scans the box finds niac's own ports; at the machine's address the engineer's entrance; from a machine, nothing",
  async (t, { bed: { plant, box } }) => {
    const began = Date.now();
    const heard = [...(await box.out("ss -Htln")).matchAll(/:(\d+)\s+\S+\s*$/gm)].map(
      ([, port]) => port ?? "",
    );
    t.true(heard.length >= OWN_PORTS.length);
    const some = `${SOME},${heard.join(",")}`;
    t.deepEqual(await openPorts(plant, "attacker", BOX, some), OWN_PORTS);
    t.deepEqual(await openPorts(plant, "attacker", HOSTS.press, some), [802]);
    for (const address of [BOX, ROUTER]) t.deepEqual(await openPorts(plant, "press", address, some), []);
    // Where the kernel hands machines' questions for names and the time over: addresses that nobody outside can name (RFC 2544).
    t.is(await box.out("ss -Huln | grep -v ' 198\\.18\\.' || :"), "", "and nothing else hears datagrams");
    t.log(`scans: ${secondsSince(began)}`);
  },
);

check("9. the key switch is heard, and niac status says that all is well", async (t, { bed: { box } }) => {
  await contact(box, KEY, "closed");
  await box.until(
    async () => (await box.out("niac status")).includes("key switch on"),
    "the key to be heard",
  );
  const status = await box.out("niac status");
  t.regex(status, /^panel +key switch on, what needs the key holds, cover closed\r?$/m);
  t.regex(status, /^audit log +recording, /m);
  t.regex(status, /^cable +inline, ruleset of version 1; /m);
  t.regex(status, /^press\/modbus +working /m);
  t.notRegex(status, /^(fault|problem) /m);
  await contact(box, KEY, "open");
});

check("10. all of that is on record, and the record has no gap", async (t, { bed }) => {
  const records = await bed.wholeRecord();
  const operations = records.filter(
    ({ kind, identity }) => kind === "operation" && identity?.user === "alice",
  );
  t.deepEqual(
    operations.map(({ machine, decision }) => [machine, decision]),
    [
      ["press", "permit"],
      ["press", "denial"],
    ],
  );
  t.true(records.some(({ kind, detail }) => kind === "box" && detail?.["action"] === "key-switch"));
  for (const kind of ["site", "trust", "session.start", "outcome", "reads", "flow.refused"])
    t.true(
      records.some((record) => record.kind === kind),
      `${kind} in ${[...new Set(records.map((record) => record.kind))].join(", ")}`,
    );
});

promises(check);
