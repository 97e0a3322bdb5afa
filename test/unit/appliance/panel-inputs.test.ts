import test from "ava";
import { differences, edgesOf, inputsOf, UNKNOWN_INPUTS } from "../../../src/appliance/panel-inputs.ts";
import { BUTTON, bitmaps, cover, COVER, DROPPED, JUMPER, key, KEY_SWITCH, REPORT } from "./input-samples.ts";

const ALL = [KEY_SWITCH, BUTTON, JUMPER, COVER];
const OFF = { keySwitch: false, button: false, cover: false, console: false };
/** Nobody is at the panel, and its cover is closed. */
const AT_REST = [COVER];

test("each has a code of its own, and is on where its bit is", (t) => {
  t.deepEqual(inputsOf(bitmaps(ALL, AT_REST)), OFF);
  t.deepEqual(inputsOf(bitmaps(ALL, [...AT_REST, KEY_SWITCH])), { ...OFF, keySwitch: true });
  t.deepEqual(inputsOf(bitmaps(ALL, [...AT_REST, BUTTON])), { ...OFF, button: true });
  t.deepEqual(inputsOf(bitmaps(ALL, [...AT_REST, JUMPER])), { ...OFF, console: true });
});

test("with nothing connected the key is off and the cover open: SW_MACHINE_COVER is 1 where it is closed", (t) => {
  t.deepEqual(inputsOf(bitmaps(ALL, [])), { ...OFF, cover: true });
  t.deepEqual(edgesOf(OFF, [cover(0), REPORT]).edges, [{ input: "cover", on: true }]);
  t.deepEqual(edgesOf({ ...OFF, cover: true }, [cover(1), REPORT]).edges, [{ input: "cover", on: false }]);
});

test("what the device does not have is unknown, whatever its bit says", (t) => {
  t.deepEqual(inputsOf(bitmaps([], ALL)), UNKNOWN_INPUTS);
  t.deepEqual(inputsOf(bitmaps([KEY_SWITCH], ALL)), { ...UNKNOWN_INPUTS, keySwitch: true });
  const short = {
    keys: Buffer.alloc(0),
    keysOn: Buffer.alloc(0),
    switches: Buffer.alloc(0),
    switchesOn: Buffer.alloc(0),
  };
  t.deepEqual(inputsOf(short), UNKNOWN_INPUTS);
});

test("every change counts, also one that is undone in the same batch", (t) => {
  const events = [key(BUTTON, 1), REPORT, cover(0), key(BUTTON, 0), cover(1), REPORT];
  t.deepEqual(edgesOf(OFF, events), {
    after: OFF,
    edges: [
      { input: "button", on: true },
      { input: "cover", on: true },
      { input: "button", on: false },
      { input: "cover", on: false },
    ],
    dropped: false,
  });
});

test("what changes nothing is none: repeats, other keys, other types, other values", (t) => {
  const on = { ...OFF, keySwitch: true };
  const other = [key(KEY_SWITCH, 1), key(KEY_SWITCH, 2), key(KEY_SWITCH, -1), key(30, 1), key(COVER, 1)];
  t.deepEqual(edgesOf(on, [...other, { ...cover(0), type: 4 }, REPORT]), {
    after: on,
    edges: [],
    dropped: false,
  });
});

test("the kernel's word that events were lost is passed on, and what else came still counts", (t) => {
  t.deepEqual(edgesOf(OFF, [DROPPED, key(KEY_SWITCH, 1), REPORT]), {
    after: { ...OFF, keySwitch: true },
    edges: [{ input: "keySwitch", on: true }],
    dropped: true,
  });
});

test("differences are what is otherwise, and unknown is otherwise than off", (t) => {
  t.deepEqual(differences(OFF, OFF), []);
  t.deepEqual(differences(OFF, { ...OFF, keySwitch: null, cover: true }), [
    { input: "keySwitch", on: null },
    { input: "cover", on: true },
  ]);
});
