/** A panel whose device is typed by hand, before a log and a database that are real. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import type { PanelEdge, PanelInput } from "../../../src/appliance/index.ts";
import { AuditLog, createRecords, openDatabase, type Database } from "../../../src/audit/index.ts";
import { UnavailableError, type Call } from "../../../src/base/index.ts";
import { FaultBook } from "../../../src/control/faults.ts";
import { createPanel, PanelStore } from "../../../src/control/panel-store.ts";
import { PanelKeeper } from "../../../src/control/panel.ts";
import { gatewayPanel } from "../../../src/link/index.ts";
import { StillClock } from "../machine/requests.ts";
import type { Teardown } from "./site.ts";

export const MINUTE = 60_000;

export class PanelBed {
  readonly dir: string;
  readonly db: Database;
  readonly audit: AuditLog;
  readonly clock = new StillClock();
  readonly faults = new FaultBook(this.clock);
  /** What the gateway was told of the key switch. */
  readonly told: (boolean | null)[] = [];
  away = false;
  readonly panel: PanelKeeper;

  constructor(dir: string, buttonAllows: number) {
    this.dir = dir;
    this.clock.time = 1_780_000_000_000;
    this.db = openDatabase(join(dir, "niac.db"), [createRecords, createPanel]);
    this.audit = new AuditLog(this.db, "box", { clock: this.clock });
    this.panel = new PanelKeeper({
      audit: this.audit,
      clock: this.clock,
      log: pino({ level: "silent" }),
      store: new PanelStore(this.db),
      gateway: { call: (call, params) => this.#call(call, params) },
      faults: this.faults,
      buttonAllows,
    });
  }

  static open(t: Teardown, buttonAllows = 0): PanelBed {
    const dir = mkdtempSync(join(tmpdir(), "niac-panel-"));
    t.teardown(() => rmSync(dir, { recursive: true, force: true }));
    return new PanelBed(dir, buttonAllows).closedBy(t);
  }

  /** As after a restart of control. */
  again(t: Teardown): PanelBed {
    return new PanelBed(this.dir, 0).closedBy(t);
  }

  closedBy(t: Teardown): this {
    t.teardown(() => void this.db.close());
    return this;
  }

  turn(input: PanelInput, ...states: (boolean | null)[]): void {
    this.panel.changed(states.map((on): PanelEdge => ({ input, on })));
  }

  /** Lets time pass, and what is due be stored. */
  async pass(milliseconds: number): Promise<void> {
    this.clock.time += milliseconds;
    this.panel.look();
    await this.stored();
  }

  /** What was handed in is stored, or refused, and whoever waits for it knows. */
  async stored(): Promise<void> {
    await this.audit.flush().catch(() => undefined);
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** Leaves no room for a record: smaller ones than the panel's take what there is. */
  async fill(): Promise<void> {
    this.db.pragma(`max_page_count = ${Number(this.db.pragma("page_count", { simple: true }))}`);
    for (let number = 0; this.audit.state !== "full"; number++) {
      const small = { time: 1, kind: "process" as const, id: `small-${number}` };
      await this.audit.append([small], "now").catch(() => undefined);
    }
  }

  makeRoom(): void {
    this.db.pragma("max_page_count = 100000");
  }

  /** Actions and reasons on record. */
  get records(): string[] {
    return this.audit
      .read({ limit: 10_000 })
      .filter(({ kind }) => kind === "box")
      .map(({ kind, detail, reason }) => `${kind} ${detail?.["action"]}: ${reason}`);
  }

  fault(source: string): string | null {
    return this.faults.all.find((fault) => fault.source === source)?.why ?? null;
  }

  #call<Params, Result>(call: Call<Params, Result>, params: Params): Promise<Result> {
    if (this.away) return Promise.reject(new UnavailableError("gateway-away", "away"));
    if (call.name === gatewayPanel.name) this.told.push(gatewayPanel.params.parse(params).panel.keySwitch);
    return Promise.resolve(call.result.parse({ ended: 0 }));
  }
}
