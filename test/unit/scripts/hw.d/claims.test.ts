import test from "ava";
import { claimedTwice, claimsOf } from "../../../../scripts/hw.d/claims.ts";
import { readTree } from "../../../../scripts/hw.d/fdt.ts";
import { flatTree, strings, words, type Source } from "./flat-tree.ts";

const PINS: Source = {
  phandle: words(1),
  "#gpio-cells": words(2),
  "spi-pins": { phandle: words(2), "brcm,pins": words(9, 10, 11) },
  "uart-state": {
    phandle: words(3),
    "txd-pins": { pins: strings("gpio14") },
    "rxd-pins": { pins: strings("gpio15") },
  },
  "vbus-state": { phandle: words(4), groups: strings("vbus1") },
};
const OTHER: Source = {
  phandle: words(9),
  "#gpio-cells": words(1),
  state: { phandle: words(10), pins: strings("gpio9") },
};

/** A device with pin functions of this form. */
function stated(more: Source): Source {
  return {
    pins: { ...PINS, state: { phandle: words(5), ...more } },
    led: { "pinctrl-0": words(5) },
  };
}

function claimed(devices: Source): string[] {
  const root = readTree(flatTree({ pins: PINS, other: OTHER, ...devices }));
  return claimsOf(root, "/pins").map(({ gpio, node, how }) => `${gpio} ${node} ${how}`);
}

test("pins are had by reference and by function, Broadcom's, the common form's and by group", (t) => {
  t.deepEqual(
    claimed({
      led: { gpios: words(1, 22, 0) },
      spi: { "cs-gpios": words(0, 1, 7, 1), "pinctrl-0": words(2) },
      uart: { "pinctrl-0": words(3) },
      usb: { "pinctrl-0": words(4) },
    }),
    [
      "22 /led gpio",
      "7 /spi gpio",
      "9 /spi function",
      "10 /spi function",
      "11 /spi function",
      "14 /uart function",
      "15 /uart function",
      "42 /usb function",
      "43 /usb function",
    ],
  );
});

test("a hog has its pin; another controller's pins and what is switched off have none", (t) => {
  t.deepEqual(
    claimed({
      pins: { ...PINS, hog: { "gpio-hog": Buffer.alloc(0), gpios: words(5, 0) } },
      led: { gpios: words(9, 22, 1, 23, 0) },
      spi: { "pinctrl-0": words(10) },
      off: { status: strings("disabled"), gpios: words(1, 4, 0) },
    }),
    ["5 /pins/hog gpio", "23 /led gpio"],
  );
});

test("a pin that two devices have is found, and one that a device has twice over is not", (t) => {
  const root = readTree(
    flatTree({
      pins: PINS,
      led: { gpios: words(1, 9, 0) },
      spi: { "pinctrl-0": words(2), "cs-gpios": words(1, 10, 0) },
    }),
  );
  t.deepEqual(claimedTwice(claimsOf(root, "/pins")), ["GPIO9 is used by /led and /spi"]);
});

test("what cannot be followed is refused, not passed over", (t) => {
  t.throws(() => claimed({ led: { gpios: words(77, 1, 0) } }), { message: /no GPIO controller/ });
  t.throws(() => claimed({ led: { gpios: words(1, 22) } }), { message: /cut short/ });
  t.throws(() => claimed({ led: { "pinctrl-0": words(77) } }), { message: /points nowhere/ });
  t.throws(() => claimed(stated({ groups: strings("spi0") })), { message: /group spi0/ });
  t.throws(() => claimed(stated({ pins: strings("PA1") })), { message: /pin PA1/ });
  t.throws(() => claimsOf(readTree(flatTree({})), "/pins"), { message: /has no \/pins/ });
});
