import { fileURLToPath } from "node:url";
import test from "ava";
import { readBoard } from "../../../../scripts/hw.d/board.ts";
import { panelSource } from "../../../../scripts/hw.d/panel.ts";
import { HEADER } from "../../../../scripts/hw.d/header.ts";

const HW = fileURLToPath(new URL("../../../../hw/", import.meta.url));
const nodeIn = (source: string, name: string): string[] | undefined =>
  new RegExp(`${name} \\{\\n([^}]*)\\}`)
    .exec(source)?.[1]
    ?.trim()
    .split(";")
    .map((one) => one.trim());

test("a lamp and a contact as the kernel's bindings want them", (t) => {
  const source = panelSource(readBoard(HW, "rpi4"));
  t.deepEqual(nodeIn(source, "led-power"), [
    'label = "niac:green:power"',
    "gpios = <&gpio 22 0>",
    'default-state = "off"',
    'linux,default-trigger = "timer"',
    "",
  ]);
  // Active low and pulled up: 1 + 16.
  t.deepEqual(nodeIn(source, "key-switch"), [
    'label = "key switch, on"',
    "linux,input-type = <1>",
    "linux,code = <0x2c0>",
    "gpios = <&gpio 16 0x11>",
    "debounce-interval = <50>",
    "",
  ]);
  t.deepEqual(nodeIn(source, "cover-switch")?.slice(1, 4), [
    "linux,input-type = <5>",
    "linux,code = <0x10>",
    "gpios = <&gpio 21 0x11>",
  ]);
});

test("both Pis have lamps and contacts at the same pins, so that one carrier board fits both", (t) => {
  const [four, five] = ["rpi4", "rpi5"].map((name) => readBoard(HW, name));
  t.deepEqual(four?.lamps, five?.lamps);
  t.deepEqual(four?.contacts, five?.contacts);
  const wires = (board: typeof four): string[] | undefined =>
    board?.buses
      .filter((bus) => bus.name !== "console")
      .map((bus) => `${bus.name} ${bus.signal} ${bus.wired.pin}`);
  t.deepEqual(wires(four), wires(five));
});

test("QEMU's panel has the Pis' names and events", (t) => {
  const [pi, simulated] = ["rpi4", "qemu-arm64"].map((name) => {
    const { lamps, contacts } = readBoard(HW, name);
    return [
      ...lamps.map(({ name: lamp, colour }) => `${lamp} ${colour}`),
      ...contacts.map(
        ({ name: contact, event, active }) => `${contact} ${event.type} ${event.code} ${active}`,
      ),
    ];
  });
  t.deepEqual(simulated, pi);
});

test("the header has 40 pins, and each of its 28 GPIOs once", (t) => {
  const gpios = HEADER.flatMap((pin) => (pin !== undefined && "gpio" in pin ? [pin.gpio] : []));
  t.is(HEADER.length, 41);
  t.deepEqual(
    gpios.toSorted((a, b) => a - b),
    Array.from({ length: 28 }, (_, gpio) => gpio),
  );
  const nets = HEADER.flatMap((pin, number) =>
    pin !== undefined && "net" in pin ? [`${number}:${pin.net}`] : [],
  );
  t.is(nets.join(" "), "1:3.3 2:5 4:5 6:0 9:0 14:0 17:3.3 20:0 25:0 30:0 34:0 39:0");
});
