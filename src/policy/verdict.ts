import type { AddressRange } from "../modbus/index.ts";
import { OperationPermit, SessionPermit } from "./permit.ts";
import type { RateBook } from "./rate.ts";

/**
 * Which question was answered with no:
 * - service: there is no such machine or service, or it does not speak Modbus
 * - grant: no grant names this identity; forbid: a forbid matched
 * - lock: somebody locked who it is or what it wants; posture: a grant matched but for what the laptop is like
 * - when, from, connections, rate: a grant matched but for the time or the key switch, the source network, the sessions at once, the pace
 * - function, unit, address, value, change: a grant matched but for that part of the operation
 */
export type Stage =
  | "lock"
  | "service"
  | "grant"
  | "forbid"
  | "when"
  | "posture"
  | "from"
  | "function"
  | "unit"
  | "address"
  | "value"
  | "change"
  | "rate"
  | "connections";

/** A no, with what a person needs to understand it and to have it changed. Plain JSON. */
export interface Denial {
  readonly stage: Stage;
  /** The forbid that forbade, or the grant that came nearest; null where none did. */
  readonly rule: string | null;
  readonly reason: string;
  /** What would allow it. */
  readonly advice: string;
  /** Modbus exception to answer: 1 (MODBUS/TCP Security R-31), or 6, server device busy, where only the pace was too high. */
  readonly exception: 1 | 6;
}

/** What the machine holds there decides: read it, and ask again with `context.current`. */
export type NeedsCurrent = AddressRange;

export interface DecideContext {
  /** What the machine holds at the addresses of `operation.writes`, one value each. */
  readonly current?: readonly number[];
  /** Charged for the operation where its grant limits operations a second; without it such a grant gives nothing. */
  readonly rates?: RateBook;
}

export type Verdict = SessionPermit | OperationPermit | Denial | NeedsCurrent;

/** True for what this folder made and for nothing else, whatever it looks like. */
export function isPermit<T>(x: T): x is Extract<T, SessionPermit | OperationPermit> {
  return OperationPermit.made(x) || SessionPermit.made(x);
}

export function isDenial<T extends Verdict>(x: T): x is Extract<T, Denial> {
  return !isPermit(x) && "stage" in x;
}

export function needsCurrent<T extends Verdict>(x: T): x is Extract<T, NeedsCurrent> {
  return !isPermit(x) && "quantity" in x;
}
