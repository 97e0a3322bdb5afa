/** What is wrong with a board's pin table, in words. Pure. */
import { hasHeader, usesOf, type Board, type BoardContact, type BoardLamp } from "./board.ts";
import { HEADER, RESERVED_GPIOS } from "./header.ts";

/** A GPIO's supply, and the most that may ever reach it. (BCM2711 and RP1 peripherals: 3.3 V, not 5 V tolerant) */
const LOGIC_VOLTS = 3.3;
/** An LED of today is bright at 2 mA; more than 10 mA only warms the box. */
const LAMP_MILLIAMPERES = { least: 2, most: 10 };
const SUPPLY_VOLTS = 5;
/** Of 3.3 V: what the chips still take for a 0. (BCM2711: 0.8 V at most) */
const LOW_VOLTS = 0.8;

/** What the kernel must call them (the contract with src/appliance): names beside what the program looks for. */
const LAMPS: Readonly<Record<string, string>> = {
  power: "green",
  protected: "green",
  session: "blue",
  refused: "amber",
  fault: "red",
};

/**
 * 1 is what allows something: somebody at the panel, a console, a cover that is closed (input-event-codes.h has it so). A wire that is cut, or
 * nothing wired at all, must report 0. `shut`: the contact is closed while nobody is there.
 */
const CONTACTS: Readonly<Record<string, { type: "key" | "switch"; code: number; shut: boolean }>> = {
  "key-switch": { type: "key", code: 0x2c0, shut: false },
  "panel-button": { type: "key", code: 0x2c1, shut: false },
  "console-switch": { type: "key", code: 0x2c2, shut: false },
  "cover-switch": { type: "switch", code: 0x10, shut: true },
};

/** Keeps a transceiver's driver off against the chip's own pull of some 50 kΩ, and loads a pin of 3.3 V by less than 1 mA. */
const DRIVER_OFF_OHMS = { least: 3_300, most: 22_000 };

export function faultsOf(board: Board): string[] {
  return [
    ...usedTwice(board),
    ...atTheWrongPin(board),
    ...lampFaults(board),
    ...contactFaults(board),
    ...driverFaults(board),
  ];
}

function usedTwice(board: Board): string[] {
  const faults: string[] = [];
  const byGpio = new Map<number, string>();
  const byPin = new Map<number, string>();
  const claim = <K>(taken: Map<K, string>, key: K, who: string, what: string): void => {
    const other = taken.get(key);
    if (other !== undefined) faults.push(`${what} is used twice: ${other}, and ${who}`);
    taken.set(key, who);
  };
  for (const { who, gpio, pin } of usesOf(board)) {
    claim(byGpio, gpio, who, `GPIO${gpio}`);
    if (pin !== undefined) claim(byPin, pin, who, `pin ${pin}`);
  }
  for (const { pin, to } of board.supply) claim(byPin, pin, `supply ${to}`, `pin ${pin}`);
  return faults;
}

function atTheWrongPin(board: Board): string[] {
  const header = hasHeader(board);
  const faults = usesOf(board).flatMap(({ who, gpio, pin, volts }) => {
    if (!header) return pin === undefined ? [] : [`${who}: ${board.board} has no header, so no pin ${pin}`];
    if (pin === undefined) return [`${who}: nothing says which pin it is wired to`];
    const there = HEADER[pin];
    if (there === undefined || !("gpio" in there))
      return [`${who}: pin ${pin} is a supply of ${there?.net ?? "?"} V`];
    const wrong = there.gpio === gpio ? [] : [`${who}: pin ${pin} is GPIO${there.gpio}, not GPIO${gpio}`];
    if (RESERVED_GPIOS.has(gpio)) wrong.push(`${who}: GPIO${gpio} is the plugged-on board's memory`);
    if (volts !== LOGIC_VOLTS) wrong.push(`${who}: ${volts} V at a pin that bears ${LOGIC_VOLTS} V`);
    return wrong;
  });
  for (const { pin, net, to } of board.supply) {
    const there = HEADER[pin];
    if (there === undefined || !("net" in there) || there.net !== net)
      faults.push(`supply ${to}: pin ${pin} is not ${net} V`);
  }
  return faults;
}

/** Milliamperes through the LED; the transistor's own drop is too small to count. */
export function lampCurrent({ forward, resistor }: NonNullable<BoardLamp["wired"]>): number {
  return ((SUPPLY_VOLTS - forward) / resistor) * 1000;
}

function lampFaults(board: Board): string[] {
  const faults = missing("lamp", Object.keys(LAMPS), board.lamps);
  for (const lamp of board.lamps) {
    const colour = LAMPS[lamp.name];
    if (colour !== lamp.colour)
      faults.push(`lamp ${lamp.name} is ${lamp.colour}, not ${colour ?? "known to niac"}`);
    if (lamp.wired === undefined) continue;
    const current = lampCurrent(lamp.wired);
    if (current < LAMP_MILLIAMPERES.least || current > LAMP_MILLIAMPERES.most)
      faults.push(
        `lamp ${lamp.name}: ${current.toFixed(1)} mA, and not ${LAMP_MILLIAMPERES.least} to ${LAMP_MILLIAMPERES.most}`,
      );
  }
  return faults;
}

/** What a contact reports with its wire cut: the pull alone decides. */
export function whenCut({ pull, active }: BoardContact): boolean {
  return (pull === "up") === (active === "high");
}

/** What a contact reports while it is closed: it ties the line to 0 V. */
export function whenClosed({ active }: BoardContact): boolean {
  return active === "low";
}

function contactFaults(board: Board): string[] {
  const faults = missing("contact", Object.keys(CONTACTS), board.contacts);
  for (const contact of board.contacts) {
    const known = CONTACTS[contact.name];
    if (known === undefined) {
      faults.push(`${contact.name} is not known to niac`);
      continue;
    }
    const { type, code } = contact.event;
    if (type !== known.type || code !== known.code)
      faults.push(`${contact.name} reports ${type} ${code}, not ${known.type} ${known.code}`);
    if (contact.wired === undefined) continue;
    if (whenCut(contact)) faults.push(`${contact.name}: with its wire cut it would report 1`);
    if (whenClosed(contact) === whenCut(contact))
      faults.push(`${contact.name}: a closed contact would report the same as a cut wire`);
    if ((contact.wired.contact === "closed-while-shut") !== known.shut)
      faults.push(`${contact.name}: a ${contact.wired.contact} contact does not fail to the safe side`);
    const { pullUp, series, filter } = contact.wired;
    const low = (LOGIC_VOLTS * series) / (pullUp + series);
    if (low > LOW_VOLTS / 2) faults.push(`${contact.name}: a closed contact leaves ${low.toFixed(2)} V`);
    const settles = 5 * (pullUp + series) * filter * 1e-6;
    if (settles > contact.debounce)
      faults.push(
        `${contact.name}: settles in ${settles.toFixed(1)} ms, debounced for ${contact.debounce} ms`,
      );
  }
  return faults;
}

/** A box that starts or hangs must not hold an RS-485 line. */
function driverFaults(board: Board): string[] {
  return board.buses
    .filter(({ signal }) => signal === "DE")
    .flatMap(({ name, wired: { pullDown } }) => {
      if (pullDown === undefined) return [`${name} DE: nothing holds it at 0 V until the driver has it`];
      const { least, most } = DRIVER_OFF_OHMS;
      return pullDown < least || pullDown > most
        ? [`${name} DE: ${pullDown} Ω to 0 V, and not ${least} to ${most}`]
        : [];
    });
}

function missing(
  what: string,
  names: readonly string[],
  there: readonly { readonly name: string }[],
): string[] {
  const faults = names
    .filter((name) => !there.some((one) => one.name === name))
    .map((name) => `${what} ${name} is missing`);
  const seen = new Set<string>();
  for (const { name } of there) {
    if (seen.has(name)) faults.push(`${what} ${name} is there twice`);
    seen.add(name);
  }
  return faults;
}
