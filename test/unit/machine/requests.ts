/** Requests to machines for the tests: operations, permits that policy/ made for them, and transactions that wait. */
import type { Clock } from "../../../src/base/index.ts";
import type { Identity } from "../../../src/identity/index.ts";
import { NO_PANEL } from "../../../src/link/index.ts";
import type { Lane, MachineFailure, Transaction } from "../../../src/machine/index.ts";
import type { Operation, Reply } from "../../../src/modbus/index.ts";
import {
  compilePolicy,
  decide,
  isPermit,
  Locks,
  openSession,
  type OperationPermit,
  unknownStanding,
} from "../../../src/policy/index.ts";
import { parseSite } from "../../../src/site/index.ts";

const SITE = `
niac: 1
site: { name: test, appliance: box.plant.example, timeZone: UTC }
machines:
  press-4:
    description: A machine of a test
    services:
      plc: { protocol: modbus-tcp, address: 127.0.0.1:5020 }
people: { alice: { groups: [maintenance] } }
groups: { maintenance: { description: Whoever repairs } }
grants:
  - name: everything
    reason: The machine's connection is the question here, not who may use it
    who: { groups: [maintenance] }
    what: { machines: [press-4], modbus: { functions: [readWrite, 100] } }
`;

export const ALICE: Identity = {
  kind: "certificate",
  user: "alice",
  device: null,
  groups: [],
  role: null,
  tier: null,
  tenant: null,
  authority: null,
  issuer: "CN=Plant CA",
  serialNumber: "01",
  fingerprint: "00",
  notBefore: 0,
  notAfter: 8e15,
};

/** Made by policy/, as every permit is. */
export function permitFor(operation: Operation): OperationPermit {
  const { snapshot, findings } = parseSite(SITE, "test");
  if (!snapshot) throw new Error(`the test's site document is wrong: ${JSON.stringify(findings)}`);
  const request = {
    identity: ALICE,
    machine: "press-4",
    service: "plc",
    source: "127.0.0.1",
    connections: () => 0,
    locks: () => new Locks([]),
    posture: unknownStanding,
    panel: () => NO_PANEL,
  };
  const session = openSession(compilePolicy(snapshot), request, 0);
  if (!isPermit(session)) throw new Error(`no session: ${JSON.stringify(session)}`);
  const permit = decide(session, operation, 0);
  if (!isPermit(permit)) throw new Error(`no permit: ${JSON.stringify(permit)}`);
  return permit;
}

const BARE = { subFunction: -1, reads: null, writes: null, files: [], data: new Uint8Array(0) };

/** Function 3. */
export function reading(address: number, quantity = 1, unit = 1): Operation {
  return { ...BARE, unit, functionCode: 3, reads: { table: "holdingRegisters", address, quantity } };
}

/** Function 6. */
export function writing(address: number, value: number, unit = 1): Operation {
  const writes = { table: "holdingRegisters", address, quantity: 1, values: [value] } as const;
  return { ...BARE, unit, functionCode: 6, writes };
}

/** What a transaction ended with. */
export type End =
  | { readonly kind: "answered"; readonly exception: number; readonly data: Buffer }
  | ({ readonly kind: "failed" } & MachineFailure);

/** A transaction that says how it ended, and throws where it ends twice. */
export class Ask implements Transaction {
  readonly operation: Operation;
  readonly permit: OperationPermit | null;
  deadline = 0;
  retried = false;
  lane: Lane | null = null;
  readonly done: Promise<End>;
  end: End | null = null;
  /** What it says where it is asked whether it may still go; it has ended then, and nothing else follows. */
  over = false;
  #resolve: (end: End) => void = () => {};
  /** Called in the very call that ends it. */
  readonly #then: ((end: End) => void) | undefined;

  constructor(operation: Operation, permit: OperationPermit | null = null, then?: (end: End) => void) {
    this.operation = operation;
    this.permit = permit;
    this.#then = then;
    this.done = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  lapsed(): boolean {
    return this.over;
  }

  answered(reply: Reply): void {
    this.#finish({ kind: "answered", exception: reply.exception, data: Buffer.from(reply.data) });
  }

  failed(failure: MachineFailure): void {
    this.#finish({ kind: "failed", ...failure });
  }

  #finish(end: End): void {
    if (this.end) throw new Error(`a transaction ended twice: ${JSON.stringify([this.end, end])}`);
    this.end = end;
    this.#then?.(end);
    this.#resolve(end);
  }
}

export function read(address: number, quantity = 1, unit = 1): Ask {
  return new Ask(reading(address, quantity, unit));
}

export function write(address: number, value: number, unit = 1): Ask {
  const operation = writing(address, value, unit);
  return new Ask(operation, permitFor(operation));
}

/** Registers of an answer to function 3; throws what else it was. */
export function registers(end: End): number[] {
  if (end.kind !== "answered" || end.exception !== 0) throw new Error(`no registers: ${JSON.stringify(end)}`);
  return Array.from({ length: end.data[0]! / 2 }, (_, i) => end.data.readUInt16BE(1 + 2 * i));
}

/** A clock that runs as it should, and can be set forward: pauses are over when the test says so. */
export class AheadClock implements Clock {
  #ahead = 0;

  now(): number {
    return Date.now() + this.#ahead;
  }

  monotonic(): number {
    return performance.now() + this.#ahead;
  }

  forward(milliseconds: number): void {
    this.#ahead += milliseconds;
  }
}

/** A clock that stands still until it is told. */
export class StillClock implements Clock {
  time = 0;

  now(): number {
    return this.time;
  }

  monotonic(): number {
    return this.time;
  }
}
