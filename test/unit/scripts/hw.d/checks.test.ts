import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test from "ava";
import { BOARDS, parseBoard, readBoard, type Board } from "../../../../scripts/hw.d/board.ts";
import { faultsOf, whenClosed, whenCut } from "../../../../scripts/hw.d/checks.ts";
import { pagesOf } from "../../../../scripts/hw.d/pages.ts";

const HW = fileURLToPath(new URL("../../../../hw/", import.meta.url));

for (const name of BOARDS) {
  test(`${name}: the pin table is without fault`, (t) => {
    t.deepEqual(faultsOf(readBoard(HW, name)), []);
  });

  test(`${name}: what is made from the pin table is what stands beside it`, (t) => {
    const pages = Object.entries(pagesOf(readBoard(HW, name)));
    t.true(pages.length >= 2);
    for (const [file, content] of pages) t.is(readFileSync(join(HW, name, file), "utf8"), content, file);
  });
}

/** The Pi 4's table with one place of its text changed. */
function changed(from: string, to: string): Board {
  const text = readFileSync(join(HW, "rpi4/pins.yaml"), "utf8");
  if (text.split(from).length !== 2) throw new Error(`${from} is not there once`);
  return parseBoard(text.replace(from, to));
}

const FAULTS: readonly (readonly [what: string, from: string, to: string, faults: readonly string[]])[] = [
  [
    "a GPIO and its pin used twice",
    "gpio: 23, wired: { pin: 16,",
    "gpio: 22, wired: { pin: 15,",
    [
      "GPIO22 is used twice: lamp power, and lamp protected",
      "pin 15 is used twice: lamp power, and lamp protected",
    ],
  ],
  [
    "a bus' pin used by a contact",
    "gpio: 16, pull: up, active: low, debounce: 50,\n      wired: { pin: 36,",
    "gpio: 9, pull: up, active: low, debounce: 50,\n      wired: { pin: 21,",
    ["GPIO9 is used twice: key-switch, and tpm MISO", "pin 21 is used twice: key-switch, and tpm MISO"],
  ],
  [
    "a pin that is another GPIO",
    "pin: 16, forward",
    "pin: 12, forward",
    ["lamp protected: pin 12 is GPIO18, not GPIO23"],
  ],
  [
    "a signal on a supply",
    "pin: 16, forward",
    "pin: 17, forward",
    ["lamp protected: pin 17 is a supply of 3.3 V"],
  ],
  [
    "a supply on a signal",
    "pin: 9, net: 0",
    "pin: 7, net: 0",
    ["supply RS-485 logic side: pin 7 is not 0 V"],
  ],
  [
    "5 V taken from 3.3 V",
    "pin: 1, net: 3.3",
    "pin: 1, net: 5",
    ["supply TPM, RTC, RS-485 logic side, 10 kΩ of the contacts: pin 1 is not 5 V"],
  ],
  [
    "5 V on an input",
    "pin: 10, volts: 3.3",
    "pin: 10, volts: 5",
    ["rs485 RXD: 5 V at a pin that bears 3.3 V"],
  ],
  [
    "a pin of the identification memory",
    "gpio: 25, wired: { pin: 22,",
    "gpio: 0, wired: { pin: 27,",
    ["lamp refused: GPIO0 is the plugged-on board's memory"],
  ],
  [
    "a lamp that is too bright",
    "forward: 3.0, resistor: 470",
    "forward: 3.0, resistor: 47",
    ["lamp session: 42.6 mA, and not 2 to 10"],
  ],
  [
    "a lamp of another colour",
    "name: refused, colour: amber",
    "name: refused, colour: red",
    ["lamp refused is red, not amber"],
  ],
  [
    "a lamp of another name",
    "name: refused, colour",
    "name: denied, colour",
    ["lamp refused is missing", "lamp denied is amber, not known to niac"],
  ],
  ["a contact's code", "code: 0x2c2", "code: 0x2c3", ["console-switch reports key 707, not key 706"]],
  [
    "a key switch whose cut wire would read as on",
    "gpio: 16, pull: up, active: low",
    "gpio: 16, pull: up, active: high",
    ["key-switch: with its wire cut it would report 1"],
  ],
  [
    "a contact that no switch can move, because its pull goes where it does",
    "gpio: 16, pull: up, active: low",
    "gpio: 16, pull: down, active: low",
    [
      "key-switch: with its wire cut it would report 1",
      "key-switch: a closed contact would report the same as a cut wire",
    ],
  ],
  [
    "a cover contact whose cut wire would read as shut",
    "gpio: 21, pull: up, active: low",
    "gpio: 21, pull: up, active: high",
    ["cover-switch: with its wire cut it would report 1"],
  ],
  [
    "a cover contact that opens the wrong way",
    "contact: closed-while-shut",
    "contact: normally-open",
    ["cover-switch: a normally-open contact does not fail to the safe side"],
  ],
  [
    "a contact that a closed switch does not pull low",
    'series: 1000, filter: 100, to: "X3:3"',
    'series: 4700, filter: 100, to: "X3:3"',
    ["panel-button: a closed contact leaves 1.06 V"],
  ],
  [
    "a filter slower than the debouncing",
    'filter: 100, to: "X3:3"',
    'filter: 1000, to: "X3:3"',
    ["panel-button: settles in 55.0 ms, debounced for 20 ms"],
  ],
  [
    "an RS-485 driver that nothing keeps off",
    'pullDown: 10000, to: "RS-485 DE"',
    'to: "RS-485 DE"',
    ["rs485 DE: nothing holds it at 0 V until the driver has it"],
  ],
  [
    "an RS-485 driver that is kept off too weakly",
    'pullDown: 10000, to: "RS-485 DE"',
    'pullDown: 100000, to: "RS-485 DE"',
    ["rs485 DE: 100000 Ω to 0 V, and not 3300 to 22000"],
  ],
];

for (const [what, from, to, faults] of FAULTS) {
  test(`found: ${what}`, (t) => {
    t.deepEqual(faultsOf(changed(from, to)), faults);
  });
}

test("found: a pin on a board that has no header, and a header's line without a pin", (t) => {
  const [pi, simulated] = [readBoard(HW, "rpi4"), readBoard(HW, "qemu-arm64")];
  t.true(
    faultsOf({ ...simulated, lamps: pi.lamps }).includes(
      "lamp power: qemu-arm64 has no header, so no pin 15",
    ),
  );
  t.true(
    faultsOf({ ...pi, lamps: simulated.lamps }).includes("lamp power: nothing says which pin it is wired to"),
  );
});

test("every contact's states with the wire cut and the contact closed", (t) => {
  const states = readBoard(HW, "rpi5").contacts.map((one) => [one.name, whenCut(one), whenClosed(one)]);
  t.deepEqual(states, [
    ["key-switch", false, true],
    ["panel-button", false, true],
    ["cover-switch", false, true],
    ["console-switch", false, true],
  ]);
});

test("a table of another form is refused with the place", (t) => {
  t.throws(() => changed("colour: blue", "colour: violet"), { message: /lamps[\s\S]*colour/ });
  t.throws(() => changed('to: "X3:3"', 'to: "the button"'), { message: /to/ });
  t.throws(() => changed("debounce: 20", "debounce: 0"), { message: /debounce/ });
  t.throws(() => changed("overlay: niac.dts", "overlay: niac.dts\nmore: 1"), { message: /more/ });
});
