import test from "ava";
import { progressLine, updateLines } from "../../../src/command/update.ts";
import type { UpdateState, UpdateView } from "../../../src/link/index.ts";

const UPDATE: UpdateView = {
  id: "one",
  begun: Date.UTC(2027, 0, 2, 3, 4, 5),
  changed: 0,
  source: "/run/niac-usb/sda1/niac.raucb",
  by: "alice",
  from: "0.1.0",
  version: "0.2.0",
  hash: "",
  slot: "B",
  state: "rolled-back",
  reason: "the gateway is away",
};
const STATE: UpdateState = {
  version: "0.1.0",
  board: "rpi4",
  slot: "A",
  trial: false,
  primary: "A",
  other: "0.2.0",
  floor: "0.1.0",
  updates: [],
  progress: null,
};

test("what runs, what starts, what is in the other slot, and the floor", (t) => {
  t.deepEqual(updateLines(STATE), [
    "running    0.1.0 for rpi4 in slot A, good; slot A starts by default",
    "other slot 0.2.0",
    "floor      nothing below 0.1.0 is installed",
  ]);
});

test("on trial, being installed, and RAUC away", (t) => {
  const lines = updateLines({
    ...STATE,
    trial: true,
    primary: null,
    other: null,
    progress: { percent: 40, step: "Copying image to root.1" },
  }).join("\n");
  t.regex(lines, /slot A, on trial, not called good yet; which slot starts by default is not known/);
  t.regex(lines, /other slot nothing that was installed whole/);
  t.regex(lines, /installing 40 % Copying image to root\.1/);
});

test("updates with what became of them, the newest first", (t) => {
  const good: UpdateView = { ...UPDATE, state: "good", version: "0.1.0", from: "0.0.9", reason: "" };
  const [header = "", first = "", second = ""] = updateLines({ ...STATE, updates: [good, UPDATE] }).slice(4);
  t.regex(header, /^BEGUN +FROM +TO +BY +STATE +WHY$/);
  t.regex(first, /^2027-01-02T03:04:05\.000Z +0\.1\.0 +0\.2\.0 +alice +tried and left +the gateway is away$/);
  t.regex(second, /0\.0\.9 +0\.1\.0 +alice +good$/);
});

test("a bar with the step, within the terminal", (t) => {
  t.is(progressLine({ percent: 0, step: "Installing" }, 80), `[${".".repeat(30)}]   0 %  Installing`);
  t.is(progressLine({ percent: 50, step: "x" }, 80), `[${"#".repeat(15)}${".".repeat(15)}]  50 %  x`);
  t.is(progressLine({ percent: 100, step: "y".repeat(200) }, 60).length, 59);
  t.is(progressLine({ percent: 140, step: "" }, 80), `[${"#".repeat(30)}] 140 %  `);
  t.false(progressLine({ percent: 1, step: "\u001b[2J" }, 80).includes("\u001b"));
});
