import type { RecordDraft } from "../audit/index.ts";
import type { Clock } from "../base/index.ts";
import type { MachineView } from "../link/index.ts";
import { openPort, type Flushers, type MachinePort } from "../machine/index.ts";
import type { Machine, ModbusService, Snapshot } from "../site/index.ts";
import { WriteGate } from "./write-gate.ts";

export interface OpenMachine {
  readonly port: MachinePort;
  readonly gate: WriteGate;
  /** The service as it was when the port was opened, to see whether it changed. */
  readonly described: string;
}

/** The ports to machines, one for each Modbus service, opened when first asked for. */
export class Machines {
  readonly #open = new Map<string, OpenMachine>();
  readonly #flushers: Flushers;
  readonly #clock: Clock;
  readonly #note: (draft: Omit<RecordDraft, "id" | "time">) => void;

  constructor(flushers: Flushers, clock: Clock, note: (draft: Omit<RecordDraft, "id" | "time">) => void) {
    this.#flushers = flushers;
    this.#clock = clock;
    this.#note = note;
  }

  get(machine: Machine, service: ModbusService): OpenMachine {
    const key = `${machine.name}/${service.name}`;
    const known = this.#open.get(key);
    if (known) return known;
    const about = { kind: "process", machine: machine.name, service: service.name } as const;
    const port = openPort(machine.name, service, this.#flushers, this.#clock, {
      circuit: (working, reason) =>
        this.#note({ ...about, reason, detail: { circuit: working ? "closed" : "open" } }),
      violation: (reason) => this.#note({ ...about, kind: "malformed", stage: "machine", reason }),
    });
    const opened = { port, gate: new WriteGate(), described: JSON.stringify(service) };
    this.#open.set(key, opened);
    return opened;
  }

  /** Takes out, without closing, the ports of services that are gone or changed under the new snapshot; by `machine/service`. */
  takeStale(snapshot: Snapshot): Map<string, OpenMachine> {
    const now = new Map<string, string>();
    for (const machine of snapshot.machines) {
      for (const service of machine.services)
        now.set(`${machine.name}/${service.name}`, JSON.stringify(service));
    }
    const stale = new Map<string, OpenMachine>();
    for (const [key, opened] of this.#open) {
      if (now.get(key) === opened.described) continue;
      stale.set(key, opened);
      this.#open.delete(key);
    }
    return stale;
  }

  views(): MachineView[] {
    return [...this.#open].map(([key, { port }]) => {
      const [machine = "", service = ""] = key.split("/");
      return { machine, service, ...port.status() };
    });
  }

  close(): void {
    for (const { port } of this.#open.values()) port.close();
    this.#open.clear();
  }
}
