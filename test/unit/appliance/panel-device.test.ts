import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { PanelDevice, type InputAddon } from "../../../src/appliance/panel-device.ts";
import { UNKNOWN_INPUTS, type InputBitmaps, type PanelEdge } from "../../../src/appliance/panel-inputs.ts";
import { BUTTON, bitmaps, cover, COVER, DROPPED, key, KEY_SWITCH, packed, REPORT } from "./input-samples.ts";

const HOST = 0x19;
const USB = 0x03;

interface Device {
  readonly name: string;
  readonly bus: number;
  state: InputBitmaps;
}

/** Stands in for the kernel: this computer's has no way to make an input device. What the kernel really says is for the test in QEMU. */
class Kernel implements InputAddon {
  readonly devices = new Map<string, Device>();
  readonly open = new Map<number, string>();
  /** Of the device that is watched. */
  hear: (packets: Buffer[]) => void = () => {};
  fail: (error: Error) => void = () => {};
  #next = 10;

  openInput(path: string): number {
    const name = basename(path);
    if (!this.devices.has(name)) throw refused("EACCES");
    this.open.set(this.#next, name);
    return this.#next++;
  }

  inputIdentity(fd: number): { name: string; bus: number } {
    return this.#device(fd);
  }

  inputState(fd: number): InputBitmaps {
    return this.#device(fd).state;
  }

  watch(
    fd: number,
    _perTurn: number,
    onPackets: (packets: Buffer[]) => void,
    onError: (error: Error) => void,
  ): { close(): void } {
    this.hear = onPackets;
    this.fail = onError;
    return { close: () => this.closeFd(fd) };
  }

  closeFd(fd: number): void {
    if (!this.open.delete(fd)) throw refused("EBADF");
  }

  #device(fd: number): Device {
    const device = this.devices.get(this.open.get(fd) ?? "");
    if (!device) throw refused("ENODEV");
    return device;
  }
}

function refused(code: string): Error {
  return Object.assign(new Error(code), { code });
}

function bed(t: ExecutionContext, files = ["event0"]) {
  const directory = mkdtempSync(join(tmpdir(), "niac-input-"));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  for (const file of [...files, "mice", "js0"]) writeFileSync(join(directory, file), "");
  const kernel = new Kernel();
  const told: PanelEdge[] = [];
  const panel = new PanelDevice(kernel, "niac-panel", (edges) => told.push(...edges), directory);
  const put = (file: string, has: number[], on: number[], name = "niac-panel", bus = HOST): Device => {
    const device = { name, bus, state: bitmaps(has, on) };
    kernel.devices.set(file, device);
    return device;
  };
  return { kernel, panel, told, put };
}

test("how it stands at the start is asked, and told", (t) => {
  const { kernel, panel, told, put } = bed(t);
  t.deepEqual(panel.inputs, UNKNOWN_INPUTS);
  t.is(panel.problem, "it was not looked for yet");
  put("event0", [KEY_SWITCH, COVER], [KEY_SWITCH, COVER]);
  panel.look();
  t.deepEqual(told, [
    { input: "keySwitch", on: true },
    { input: "cover", on: false },
  ]);
  t.is(panel.problem, null);
  panel.look();
  t.is(kernel.open.size, 1, "it is opened once");
  panel.close();
  t.is(kernel.open.size, 0);
});

test("changes are told as they come, an event in two pieces too", (t) => {
  const { kernel, panel, told, put } = bed(t);
  put("event0", [KEY_SWITCH, BUTTON], []);
  panel.look();
  told.length = 0;
  const bytes = packed([key(KEY_SWITCH, 1), REPORT, key(BUTTON, 1), key(BUTTON, 0), REPORT]);
  kernel.hear([bytes.subarray(0, 30), bytes.subarray(30, 50)]);
  kernel.hear([bytes.subarray(50)]);
  t.deepEqual(told, [
    { input: "keySwitch", on: true },
    { input: "button", on: true },
    { input: "button", on: false },
  ]);
  t.deepEqual(panel.inputs, { ...UNKNOWN_INPUTS, keySwitch: true, button: false });
});

test("where events were lost, it is asked anew", (t) => {
  const { kernel, panel, told, put } = bed(t);
  const device = put("event0", [KEY_SWITCH, COVER], [KEY_SWITCH, COVER]);
  panel.look();
  told.length = 0;
  device.state = bitmaps([KEY_SWITCH, COVER], [COVER]);
  kernel.hear([packed([DROPPED, cover(0), REPORT])]);
  t.deepEqual(told, [
    { input: "cover", on: true },
    { input: "keySwitch", on: false },
    { input: "cover", on: false },
  ]);
});

test("a device that goes leaves all of it unknown, and is taken up again", (t) => {
  const { kernel, panel, told, put } = bed(t);
  put("event0", [KEY_SWITCH], [KEY_SWITCH]);
  panel.look();
  told.length = 0;
  kernel.hear([packed([key(KEY_SWITCH, 0)]).subarray(0, 20)]);
  kernel.devices.clear();
  kernel.fail(refused("ENODEV"));
  t.deepEqual(told, [{ input: "keySwitch", on: null }]);
  t.is(panel.problem, "it went away (ENODEV)");
  t.is(kernel.open.size, 0);
  panel.look();
  t.is(panel.problem, "no input device of the board is named niac-panel (event0 may not be read)");
  put("event0", [KEY_SWITCH], []);
  panel.look();
  t.is(panel.problem, null);
  kernel.hear([packed([key(KEY_SWITCH, 1)])]);
  t.deepEqual(told.slice(1), [
    { input: "keySwitch", on: false },
    { input: "keySwitch", on: true },
  ]);
});

test("one that goes while events were lost is gone too", (t) => {
  const { kernel, panel, told, put } = bed(t);
  put("event0", [KEY_SWITCH], [KEY_SWITCH]);
  panel.look();
  kernel.devices.clear();
  kernel.hear([packed([DROPPED])]);
  t.deepEqual(told.at(-1), { input: "keySwitch", on: null });
  t.is(kernel.open.size, 0);
});

test("what is plugged in is no panel, whatever it calls itself, nor is another name", (t) => {
  const { kernel, panel, told, put } = bed(t, ["event0", "event1", "event2"]);
  put("event0", [KEY_SWITCH], [KEY_SWITCH], "niac-panel", USB);
  put("event1", [KEY_SWITCH], [KEY_SWITCH], "niac-panel2");
  panel.look();
  t.regex(panel.problem ?? "", /^no input device of the board is named niac-panel/);
  t.deepEqual(told, []);
  put("event2", [KEY_SWITCH], []);
  panel.look();
  t.deepEqual(told, [{ input: "keySwitch", on: false }]);
  t.deepEqual([...kernel.open.values()], ["event2"], "and the others are closed again");
});

test("of two that bear the name neither is believed", (t) => {
  const { kernel, panel, told, put } = bed(t, ["event0", "event1"]);
  put("event0", [KEY_SWITCH], [KEY_SWITCH]);
  put("event1", [KEY_SWITCH], []);
  panel.look();
  t.is(panel.problem, "2 input devices of the board are named niac-panel");
  t.deepEqual([told.length, kernel.open.size], [0, 0]);
});

test("a computer without input devices says so", (t) => {
  const panel = new PanelDevice(new Kernel(), "niac-panel", () => t.fail(), "/nonexistent");
  panel.look();
  t.is(panel.problem, "no input device of the board is named niac-panel");
});
