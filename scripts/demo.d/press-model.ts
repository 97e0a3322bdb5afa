/** A hydraulic press, as its PLC sees it: what moves, and what moves it. Pure; addresses count from 0. */

export const INPUT = { temperature: 0, pressure: 1, strokesHigh: 2, strokesLow: 3 } as const;
export const HOLDING = { temperature: 10, pressure: 11, safetyFirst: 100, safetyLast: 199 } as const;
export const MOTOR = 0;
export const GUARD_CLOSED = 0;

export interface Press {
  /** 0.1 °C and 0.1 bar, as in the registers; fractions are kept between steps. */
  temperature: number;
  pressure: number;
  temperatureSetPoint: number;
  pressureSetPoint: number;
  strokes: number;
  motor: boolean;
  guardClosed: boolean;
  /** What holding registers 100 to 199 hold: limits of the safety functions. */
  readonly safety: Uint16Array;
}

/** Set-points the PLC takes, in 0.1 °C. */
export const HIGHEST_TEMPERATURE = 2000;

const AMBIENT = 215;
/** Seconds in which a difference shrinks to about a third. */
const WARMING = 20;
const PRESSING = 1.5;
const STROKES_PER_SECOND = 0.4;

export function newPress(): Press {
  const safety = new Uint16Array(HOLDING.safetyLast - HOLDING.safetyFirst + 1);
  safety[0] = 2100;
  return {
    temperature: 1480,
    pressure: 0,
    temperatureSetPoint: 1500,
    pressureSetPoint: 1200,
    strokes: 70_000,
    motor: true,
    guardClosed: true,
    safety,
  };
}

/** The press `seconds` later. */
export function step(press: Press, seconds: number): Press {
  const pressing = press.motor && press.guardClosed;
  return {
    ...press,
    temperature: approach(
      press.temperature,
      press.motor ? press.temperatureSetPoint : AMBIENT,
      seconds / WARMING,
    ),
    pressure: approach(press.pressure, pressing ? press.pressureSetPoint : 0, seconds / PRESSING),
    strokes: press.strokes + (pressing ? seconds * STROKES_PER_SECOND : 0),
  };
}

function approach(from: number, to: number, share: number): number {
  return to + (from - to) * Math.exp(-share);
}

/** Value of an input register, or null where there is none. */
export function inputRegister(press: Press, address: number): number | null {
  const strokes = Math.floor(press.strokes);
  switch (address) {
    case INPUT.temperature:
      return Math.round(press.temperature);
    case INPUT.pressure:
      return Math.round(press.pressure);
    case INPUT.strokesHigh:
      return Math.floor(strokes / 65_536) % 65_536;
    case INPUT.strokesLow:
      return strokes % 65_536;
    default:
      return null;
  }
}

export function holdingRegister(press: Press, address: number): number | null {
  if (address === HOLDING.temperature) return press.temperatureSetPoint;
  if (address === HOLDING.pressure) return press.pressureSetPoint;
  return press.safety[address - HOLDING.safetyFirst] ?? null;
}

/** What a write of a holding register leads to; null: no such register; "value": the PLC does not take the value. */
export function writeRegister(press: Press, address: number, value: number): Press | "value" | null {
  if (address === HOLDING.temperature) {
    return value > HIGHEST_TEMPERATURE ? "value" : { ...press, temperatureSetPoint: value };
  }
  if (address === HOLDING.pressure) return { ...press, pressureSetPoint: value };
  if (holdingRegister(press, address) === null) return null;
  return { ...press, safety: press.safety.with(address - HOLDING.safetyFirst, value) };
}
