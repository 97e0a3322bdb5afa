import type { Clock } from "../base/index.ts";
import type { MachineView } from "../link/index.ts";
import { openPort, type Dial, type Flushers, type MachinePort } from "../machine/index.ts";
import type { Destination, Machine, ModbusService, Snapshot } from "../site/index.ts";
import { originOf } from "./dial.ts";
import { Repeats, type RepeatedDraft } from "./repeats.ts";
import { placeOf, portServed } from "./served.ts";
import { WriteGate } from "./write-gate.ts";

/** What a port is opened to: a machine's own service, or a destination's, on the machine's behalf. */
export interface PortTarget {
  readonly machine: Machine;
  readonly destination: Destination | null;
  readonly service: ModbusService;
}

export interface OpenMachine {
  readonly port: MachinePort;
  readonly gate: WriteGate;
  /** As it was when the port was opened, to see whether it changed. */
  readonly target: PortTarget;
}

/**
 * The ports to machines and destinations, one for each Modbus service, opened when first asked for. A destination that is to see
 * each machine's own address has one for each of these; what they write is still kept apart by one gate.
 */
export class Machines {
  readonly #open = new Map<string, OpenMachine>();
  readonly #gates = new Map<string, WriteGate>();
  readonly #flushers: Flushers;
  readonly #clock: Clock;
  readonly #note: (draft: RepeatedDraft) => void;
  /** Whoever may ask for what a machine answers badly can ask for it all day. */
  readonly #badAnswers: Repeats;

  constructor(flushers: Flushers, clock: Clock, note: (draft: RepeatedDraft) => void) {
    this.#flushers = flushers;
    this.#clock = clock;
    this.#note = note;
    this.#badAnswers = new Repeats(note, clock, "bad answers", "answers");
  }

  get(target: PortTarget, dial: Dial | null): OpenMachine {
    const { service } = target;
    const place = placeOf(target);
    const pair = `${place}/${service.name}`;
    const origin = originName(target);
    const key = origin === null ? pair : `${pair} ${origin}`;
    const known = this.#open.get(key);
    if (known) return known;
    const about = {
      kind: "process",
      machine: place,
      service: service.name,
    } as const;
    const from: Record<string, string> = origin === null ? {} : { origin };
    const events = {
      circuit: (working: boolean, reason: string) =>
        this.#note({ ...about, reason, detail: { circuit: working ? "closed" : "open", ...from } }),
      violation: (reason: string) =>
        this.#badAnswers.add(place, `${service.name} ${reason}`, {
          ...about,
          kind: "malformed",
          stage: "machine",
          reason,
        }),
    };
    const port = openPort(place, service, this.#flushers, this.#clock, events, dial ?? undefined);
    const gate = this.#gates.get(pair) ?? new WriteGate();
    this.#gates.set(pair, gate);
    const opened = { port, gate, target };
    this.#open.set(key, opened);
    return opened;
  }

  /** Takes out, without closing, the ports of services that are gone or changed under the new snapshot. */
  takeStale(snapshot: Snapshot): OpenMachine[] {
    const stale: OpenMachine[] = [];
    for (const [key, opened] of this.#open) {
      if (portServed(opened.target, snapshot)) continue;
      stale.push(opened);
      this.#open.delete(key);
    }
    return stale;
  }

  views(): MachineView[] {
    return [...this.#open.values()].map(({ port, target }) => ({
      machine: placeOf(target),
      service: target.service.name,
      origin: originName(target),
      ...port.status(),
    }));
  }

  /** Records the sums of bad answers that are due; to be called now and then. */
  report(): void {
    this.#badAnswers.report(false);
  }

  close(): void {
    for (const { port } of this.#open.values()) port.close();
    this.#open.clear();
    this.#badAnswers.report(true);
  }
}

/** The machine whose address the destination sees; null: the appliance's, and the port is for all. */
function originName({ machine, destination }: PortTarget): string | null {
  return originOf(machine, destination) === null ? null : machine.name;
}
