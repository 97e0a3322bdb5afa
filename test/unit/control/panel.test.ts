import test from "ava";
import { UsageError } from "../../../src/base/index.ts";
import { MINUTE, PanelBed } from "./panel-bed.ts";

const ON = "box key-switch: the key switch is on: what is granted with it holds";
const OFF = "box key-switch: the key switch is off: what is granted with it does not hold";

test("a box whose panel was not heard yet allows nothing", (t) => {
  const { panel, told } = PanelBed.open(t);
  t.deepEqual(panel.state(), { keySwitch: null });
  t.deepEqual(told, []);
});

test("on counts once it is on record, off at once", async (t) => {
  const bed = PanelBed.open(t);
  bed.turn("keySwitch", false);
  await bed.stored();
  t.deepEqual(bed.told, [false]);
  await bed.pass(MINUTE);
  bed.turn("keySwitch", true);
  t.deepEqual(bed.panel.state(), { keySwitch: false }, "not on record yet");
  await bed.stored();
  t.deepEqual(bed.records, [OFF, ON]);
  t.deepEqual(bed.panel.state(), { keySwitch: true });
  t.deepEqual(bed.told, [false, true]);
  await bed.pass(MINUTE);
  bed.turn("keySwitch", false);
  t.deepEqual(bed.told, [false, true, false], "before anything is stored");
  t.is(bed.records.length, 2);
  await bed.stored();
  t.deepEqual(bed.records, [OFF, ON, OFF]);
});

test("turned off while on is being stored, it is never on", async (t) => {
  const bed = PanelBed.open(t);
  bed.turn("keySwitch", true);
  bed.turn("keySwitch", false);
  await bed.stored();
  await bed.pass(MINUTE);
  t.deepEqual(bed.records, [ON, OFF]);
  t.deepEqual(bed.told, [false]);
});

test("off and on again in one batch is off, until the second on is on record too", async (t) => {
  const bed = PanelBed.open(t);
  bed.turn("keySwitch", true);
  await bed.stored();
  await bed.pass(MINUTE);
  bed.turn("keySwitch", false, true);
  t.deepEqual(bed.told, [false, true, false]);
  await bed.stored();
  t.deepEqual(bed.told, [false, true, false, true]);
});

test("what cannot be recorded allows nothing, says so, and is tried again", async (t) => {
  const bed = PanelBed.open(t);
  await bed.fill();
  bed.turn("keySwitch", true);
  await bed.stored();
  t.deepEqual(bed.panel.state(), { keySwitch: false });
  t.regex(bed.fault("panel record") ?? "", /^what is done at the panel cannot be recorded: /);
  await bed.pass(2_000);
  t.deepEqual(bed.panel.state(), { keySwitch: false });
  bed.makeRoom();
  await bed.pass(2_000);
  t.deepEqual(bed.records, [ON]);
  t.deepEqual(bed.panel.state(), { keySwitch: true });
  t.is(bed.fault("panel record"), null);
  await bed.fill();
  bed.turn("keySwitch", false);
  t.deepEqual(bed.panel.state(), { keySwitch: false }, "to stop needs no record");
});

test("a contact that bounces for ten minutes floods no record, and allows nothing while it does", async (t) => {
  const bed = PanelBed.open(t);
  bed.turn("keySwitch", false);
  await bed.pass(MINUTE);
  const calm = bed.records.length;
  for (let at = 0; at < 10 * MINUTE; at += 500) {
    bed.turn("keySwitch", true, false, true, false, true);
    await bed.pass(250);
    bed.turn("keySwitch", false);
    t.not(bed.panel.state().keySwitch, true);
    await bed.pass(250);
  }
  t.true(bed.records.length - calm <= 20, `${bed.records.length - calm} records`);
  t.regex(
    bed.records.at(-1) ?? "",
    /^box key-switch: the key switch is o(n|ff): .*; it changed \d+ times since the last record$/,
  );
  t.is(bed.fault("contact"), "the key switch at the panel goes to and fro");
  bed.turn("keySwitch", true);
  await bed.pass(MINUTE);
  await bed.pass(2 * MINUTE);
  t.deepEqual(bed.panel.state(), { keySwitch: true }, "steady again, it is believed again");
  t.is(bed.fault("contact"), null);
});

test("a panel that goes is unknown at once, and believed again once it is back and on record", async (t) => {
  const bed = PanelBed.open(t);
  bed.turn("keySwitch", true);
  await bed.stored();
  await bed.pass(MINUTE);
  bed.turn("keySwitch", null);
  t.deepEqual(bed.told, [false, true, null]);
  await bed.pass(MINUTE);
  t.is(bed.records.at(-1), "box key-switch: how the key switch stands is not known now");
  bed.turn("keySwitch", true);
  t.deepEqual(bed.told, [false, true, null, false]);
  await bed.stored();
  t.deepEqual(bed.told, [false, true, null, false, true]);
});

test("an opened cover is known at once and makes the key unknown, until somebody acknowledges it on record", async (t) => {
  const bed = PanelBed.open(t);
  bed.turn("keySwitch", true);
  bed.turn("cover", false);
  await bed.stored();
  await bed.pass(MINUTE);
  const opened = bed.clock.time;
  bed.turn("cover", true);
  t.deepEqual(bed.told, [false, true, null]);
  t.is(bed.fault("cover"), `the cover of the box was opened at ${new Date(opened).toISOString()}`);
  await t.throwsAsync(bed.panel.acknowledge("alice", ""), { instanceOf: UsageError, code: "cover-open" });
  await bed.pass(MINUTE);
  bed.turn("cover", false);
  await bed.pass(MINUTE);
  t.deepEqual(bed.panel.state(), { keySwitch: null }, "closed again, it was opened all the same");
  t.deepEqual(await bed.panel.acknowledge("alice", "battery changed"), { opened });
  t.deepEqual(bed.told, [false, true, null, true]);
  t.is(bed.fault("cover"), null);
  t.deepEqual(bed.records.slice(-3), [
    "box tamper: the cover of the box is open",
    "box tamper: the cover of the box is closed",
    `box acknowledge: alice acknowledges that the cover was opened at ${new Date(opened).toISOString()}: battery changed`,
  ]);
  await t.throwsAsync(bed.panel.acknowledge("alice", ""), { code: "cover-not-opened" });
});

test("an opened cover outlasts a restart; acknowledged, it is over for good", async (t) => {
  const bed = PanelBed.open(t);
  bed.turn("cover", true, false);
  await bed.stored();
  const after = bed.again(t);
  t.deepEqual(after.panel.view().opened, bed.clock.time);
  after.turn("keySwitch", true);
  await after.stored();
  t.deepEqual(after.panel.state(), { keySwitch: null });
  await after.panel.acknowledge("bob", "");
  t.deepEqual(after.panel.state(), { keySwitch: true });
  t.is(after.again(t).panel.view().opened, null);
});

test("a cover that was open at the start is an opened cover", (t) => {
  const bed = PanelBed.open(t);
  bed.turn("cover", true);
  t.true(bed.panel.opened);
});

test("opened once more while it is being acknowledged, it is opened again", async (t) => {
  const bed = PanelBed.open(t);
  bed.turn("cover", true, false);
  await bed.stored();
  const acknowledged = bed.panel.acknowledge("alice", "");
  bed.clock.time += 1_000;
  bed.turn("cover", true, false);
  await acknowledged;
  t.true(bed.panel.opened);
  t.is(bed.again(t).panel.view().opened, bed.clock.time, "after a restart too");
});

test("a full disk hides no opened cover, and lets nobody acknowledge it off the record", async (t) => {
  const bed = PanelBed.open(t);
  await bed.fill();
  bed.turn("cover", true, false);
  t.true(bed.panel.opened);
  await t.throwsAsync(bed.panel.acknowledge("alice", ""), { code: "audit-full" });
  t.true(bed.panel.opened);
});

test("a button allows for its time, and pressed again ends it", async (t) => {
  const bed = PanelBed.open(t, 15 * MINUTE);
  bed.turn("button", false);
  t.deepEqual(bed.told, [false]);
  t.deepEqual(bed.records, [], "that it is not pressed is no news");
  bed.turn("button", true, false);
  t.deepEqual(bed.told, [false], "not on record yet");
  await bed.stored();
  t.deepEqual(bed.told, [false, true]);
  t.is(bed.panel.view().buttonUntil, bed.clock.time + 15 * MINUTE);
  await bed.pass(15 * MINUTE - 1);
  t.deepEqual(bed.panel.state(), { keySwitch: true });
  await bed.pass(1);
  t.deepEqual(bed.told, [false, true, false]);
  bed.turn("button", true, false);
  await bed.stored();
  await bed.pass(MINUTE);
  bed.turn("button", true);
  t.deepEqual(bed.told, [false, true, false, true, false]);
  await bed.stored();
  t.deepEqual(bed.records, [
    "box button: the button was pressed: what is granted with the key switch holds, for 15 min",
    "box button: the button was pressed: what is granted with the key switch holds, for 15 min",
    "box button: the button was pressed: it allows nothing now",
  ]);
});

test("a button that is to allow nothing is recorded, and no key switch", async (t) => {
  const bed = PanelBed.open(t);
  bed.turn("button", true);
  await bed.stored();
  t.deepEqual(bed.panel.state(), { keySwitch: null });
  t.deepEqual(bed.records, ["box button: the button was pressed: it allows nothing now"]);
});

test("a panel that goes ends what its button allowed", async (t) => {
  const bed = PanelBed.open(t, 15 * MINUTE);
  bed.turn("button", true);
  await bed.stored();
  bed.turn("button", null);
  t.deepEqual(bed.told, [false, true, null]);
  bed.turn("button", false);
  await bed.pass(MINUTE);
  t.deepEqual(bed.panel.state(), { keySwitch: false });
});

test("a gateway that is away is told when it attaches", async (t) => {
  const bed = PanelBed.open(t);
  bed.away = true;
  bed.turn("keySwitch", true);
  await bed.stored();
  t.deepEqual([bed.told, bed.panel.state()], [[], { keySwitch: true }]);
  bed.away = false;
  bed.panel.tell();
  t.deepEqual(bed.told, [true]);
});

test("the console's jumper is on record, and allows nothing", async (t) => {
  const bed = PanelBed.open(t);
  bed.turn("console", true);
  await bed.stored();
  t.deepEqual(bed.records, ["box console-jumper: the console jumper is set: the serial console opens"]);
  t.true(bed.panel.view().console);
  t.deepEqual(bed.panel.state(), { keySwitch: null });
});
