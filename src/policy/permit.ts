import { BugError } from "../base/index.ts";
import type { Operation } from "../modbus/index.ts";
import type { SessionState } from "./state.ts";

/**
 * Permits cannot be made elsewhere: index.ts exports their types only, the private fields make the types nominal,
 * and the constructors, reachable at run time from any permit, ask for a key that does not leave this file.
 */
const KEY = Symbol("policy");

function guard(key: symbol): void {
  if (key !== KEY) throw new BugError("forged-permit", "only policy/ makes permits");
}

/** One identity may hold one connection to one service open, as long as judging it again does not end it. */
export class SessionPermit {
  readonly #state: SessionState;

  constructor(key: symbol, state: SessionState) {
    guard(key);
    this.#state = state;
  }

  static made(x: unknown): x is SessionPermit {
    return typeof x === "object" && x !== null && #state in x;
  }

  static open(key: symbol, permit: SessionPermit): SessionState {
    guard(key);
    return permit.#state;
  }

  get user(): string {
    return this.#state.user;
  }

  get machine(): string {
    return this.#state.request.machine;
  }

  get service(): string {
    return this.#state.request.service;
  }

  /** Names of the grants it was opened under, in document order; it counts against the `connections` of each. */
  get grants(): readonly string[] {
    return this.#state.names;
  }
}

/** This one operation may be sent to the machine of the session it was decided for. */
export class OperationPermit {
  readonly #operation: Operation;
  readonly #state: SessionState;
  readonly #rule: string;

  constructor(key: symbol, operation: Operation, state: SessionState, rule: string) {
    guard(key);
    this.#operation = operation;
    this.#state = state;
    this.#rule = rule;
  }

  static made(x: unknown): x is OperationPermit {
    return typeof x === "object" && x !== null && #operation in x;
  }

  /** The very object that was decided on. Whoever sends, sends this. */
  get operation(): Operation {
    return this.#operation;
  }

  get machine(): string {
    return this.#state.request.machine;
  }

  get service(): string {
    return this.#state.request.service;
  }

  /** The grant that permits it; for function 23 the one that permits the write. */
  get rule(): string {
    return this.#rule;
  }
}

export function makeSessionPermit(state: SessionState): SessionPermit {
  return new SessionPermit(KEY, state);
}

export function stateOf(permit: SessionPermit): SessionState {
  return SessionPermit.open(KEY, permit);
}

export function makeOperationPermit(
  operation: Operation,
  state: SessionState,
  rule: string,
): OperationPermit {
  return new OperationPermit(KEY, operation, state, rule);
}
