/** The pin table as a page (hw/<board>/PINS.md), from pins.yaml. Pure. */
import { freeGpios, hasHeader, usesOf, type Board } from "./board.ts";
import { lampCurrent } from "./checks.ts";
import { HEADER } from "./header.ts";
import { lampLabel } from "./panel.ts";

type Row = readonly string[];

export function pinPage(board: Board): string {
  return [
    `# ${board.what}: pins\n`,
    "Made from [pins.yaml](pins.yaml) by `scripts/hw make`: change it there.\n",
    ...(hasHeader(board) ? headerPage(board) : simulatedPage(board)),
    "",
  ].join("\n");
}

function headerPage(board: Board): string[] {
  const rows = HEADER.flatMap((there, pin) => {
    if (there === undefined) return [];
    if ("net" in there) return [supplyRow(board, pin, there.net)];
    const used = usesOf(board).some((use) => use.gpio === there.gpio);
    return [used ? useRow(board, pin, there.gpio) : freeRow(pin, there.gpio)];
  });
  return [
    "![wiring](wiring.svg)\n",
    table(["pin", "GPIO", "signal", "direction", "active", "pull", "at the pin", "wired to", "parts"], rows),
    "\nFree: " +
      freeGpios(board)
        .filter((gpio) => gpio > 1)
        .map((gpio) => `GPIO${gpio}`)
        .join(", ") +
      ". GPIO0 and GPIO1 belong to a plugged-on board's identification memory.",
    "\n## What the kernel calls it\n",
    kernelTable(board, "GPIO"),
  ];
}

function simulatedPage(board: Board): string[] {
  return [
    "Lines of the kernel's gpio-simulator. In the guest, as root, line 8 goes low (the key switch is turned on) and up again by\n",
    "```sh\ncd /sys/devices/platform/niac-gpio/gpiochip*\necho pull-down > sim_gpio8/pull\necho pull-up > sim_gpio8/pull\ncat sim_gpio4/value        # the fault lamp\n```\n",
    kernelTable(board, "line"),
  ];
}

function kernelTable(board: Board, line: string): string {
  return table(
    [line, "what", "in the kernel", "the line's level", "debounced"],
    [
      ...board.lamps.map((lamp) => [
        String(lamp.gpio),
        `lamp ${lamp.name}`,
        `\`/sys/class/leds/${lampLabel(lamp)}\``,
        "high: lit",
        "",
      ]),
      ...board.contacts.map(({ gpio, what, event, active, debounce }) => [
        String(gpio),
        what,
        `\`niac-panel\`, ${event.type === "key" ? "EV_KEY" : "EV_SW"} 0x${event.code.toString(16)}`,
        `${active}: 1`,
        `${debounce} ms`,
      ]),
    ],
  );
}

function useRow(board: Board, pin: number, gpio: number): Row {
  const cells = (...rest: readonly string[]): Row => [String(pin), `GPIO${gpio}`, ...rest];
  const lamp = board.lamps.find((one) => one.gpio === gpio);
  if (lamp?.wired !== undefined) {
    const { resistor, gate, pullDown, to, far } = lamp.wired;
    const parts = `gate ${ohms(gate)}, ${ohms(pullDown)} to 0 V; ${ohms(resistor)} to the LED (${lampCurrent(lamp.wired).toFixed(1)} mA)`;
    const ends = `${to}; +5 V at ${far}`;
    return cells(`lamp ${lamp.name} (${lamp.colour})`, "out", "high", "", "3.3 V", ends, parts);
  }
  const contact = board.contacts.find((one) => one.gpio === gpio);
  if (contact?.wired !== undefined) {
    const { contact: kind, pullUp, series, filter, volts, to, far } = contact.wired;
    const parts = `${kind.replaceAll("-", " ")}; ${ohms(pullUp)} to 3.3 V, ${ohms(series)} in series, ${filter} nF to 0 V`;
    return cells(
      contact.what,
      "in",
      contact.active,
      contact.pull,
      `${volts} V`,
      `${to}; 0 V at ${far}`,
      parts,
    );
  }
  const bus = board.buses.find((one) => one.gpio === gpio);
  if (bus === undefined) throw new Error(`GPIO${gpio} is neither lamp, contact nor bus`);
  const { volts, to, note, pullDown } = bus.wired;
  const parts = [
    ...(pullDown === undefined ? [] : [`${ohms(pullDown)} to 0 V`]),
    ...(note === undefined ? [] : [note]),
  ];
  const active = bus.signal.endsWith("#") ? "low" : "";
  return cells(`${bus.name} ${bus.signal}`, bus.direction, active, "", `${volts} V`, to, parts.join(": "));
}

function supplyRow(board: Board, pin: number, net: number): Row {
  const used = board.supply.find((one) => one.pin === pin);
  return [String(pin), "", `${net} V`, "", "", "", `${net} V`, used?.to ?? "", ""];
}

function freeRow(pin: number, gpio: number): Row {
  return [String(pin), `GPIO${gpio}`, "", "", "", "", "", "", ""];
}

export function ohms(value: number): string {
  return value < 1000 ? `${value} Ω` : `${value / 1000} kΩ`;
}

function table(head: Row, rows: readonly Row[]): string {
  const line = (row: Row): string => `| ${row.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
