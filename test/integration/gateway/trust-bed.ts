/** A gateway as a process, and control's part of it in this one: what is revoked, reported, known of the time and said by the panel is the test's to say. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pino } from "pino";
import { AuditLog, createRecords, openDatabase, type AuditRecord } from "../../../src/audit/index.ts";
import { systemClock as clock } from "../../../src/base/index.ts";
import { GatewayLink } from "../../../src/control/gateway-link.ts";
import { createTrust, TrustStore } from "../../../src/control/trust-store.ts";
import { TrustKeeper, type RevocationSource } from "../../../src/control/trust.ts";
import {
  GATEWAY_SOCKET,
  gatewayPanel,
  listen,
  NO_PANEL,
  type IssuingAuthority,
  type PanelState,
} from "../../../src/link/index.ts";
import { parseSite, type Snapshot } from "../../../src/site/index.ts";
import { Appliance } from "../../support/appliance.ts";
import { ModbusClient } from "../../support/modbus-client.ts";
import type { Credential } from "../../support/pki.ts";
import { until, type Teardown } from "../../support/processes.ts";

export interface TrustOptions {
  readonly site: string;
  readonly sources?: readonly RevocationSource[];
  readonly authorities?: (bed: Appliance) => readonly IssuingAuthority[];
  /** The gateway's. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** What of control a test changes while the gateway runs. */
interface Box {
  panel: PanelState;
  serve: () => Promise<void>;
  leave: () => Promise<void>;
}

export class TrustBed {
  readonly appliance: Appliance;
  readonly keeper: TrustKeeper;
  readonly link: GatewayLink;
  readonly snapshot: Snapshot;
  readonly #audit: AuditLog;
  readonly #box: Box;

  private constructor(
    appliance: Appliance,
    keeper: TrustKeeper,
    link: GatewayLink,
    snapshot: Snapshot,
    audit: AuditLog,
    box: Box,
  ) {
    this.#box = box;
    this.snapshot = snapshot;
    this.appliance = appliance;
    this.keeper = keeper;
    this.link = link;
    this.#audit = audit;
  }

  static async start(t: Teardown, options: TrustOptions): Promise<TrustBed> {
    const { site, sources = [], authorities = () => [], environment: more = {} } = options;
    const appliance = await Appliance.prepare(t, { site, environment: more });
    const { snapshot, findings } = parseSite(site, "site.yaml");
    if (snapshot === null) throw new Error(JSON.stringify(findings));
    const box: Box = { panel: NO_PANEL, serve: async () => {}, leave: async () => {} };
    const log = pino({ level: "silent" });
    const db = openDatabase(join(appliance.dir, "state", "niac.db"), [createRecords, createTrust]);
    const audit = new AuditLog(db, "box", { clock });
    const { environment } = appliance;
    const file = (name: string): string => readFileSync(environment[name] ?? "", "utf8");
    const tls = {
      own: { certificate: file("NIAC_TLS_CERTIFICATE"), key: file("NIAC_TLS_KEY") },
      clientCa: file("NIAC_TLS_CLIENT_CA"),
      serverCa: file("NIAC_TLS_CLIENT_CA"),
      names: { commonName: "", dns: [], ip: [] },
      authorities: "",
      rotation: 3_600_000,
    };
    const link = new GatewayLink(audit, clock, log, {
      current: () => ({ snapshot, tls, trust: keeper.state(), panel: box.panel }),
      certify: () => Promise.reject(new Error("nobody signs here")),
      check: (certificate, groups) => keeper.check(certificate, groups),
      recorded: () => {},
      attached: () => keeper.recheckSoon(),
      ownCertificate: () => {},
    });
    const keeper: TrustKeeper = new TrustKeeper({
      store: new TrustStore(db),
      audit,
      clock,
      log,
      site: () => snapshot,
      authorities: () => authorities(appliance),
      sources,
      gateway: link,
      netd: () => Promise.resolve(null),
    });
    const path = join(environment["NIAC_RUN_DIR"] ?? "", GATEWAY_SOCKET);
    box.serve = async () => {
      const server = await listen(path, "control", (channel) => link.accept(channel));
      box.leave = async () => {
        server.close();
        await link.close();
      };
    };
    await box.serve();
    t.teardown(async () => {
      await appliance.stop();
      keeper.close();
      await box.leave();
      await audit.close();
      db.close();
    });
    await appliance.run("gateway");
    return new TrustBed(appliance, keeper, link, snapshot, audit, box);
  }

  /** The key switch; resolves with how many sessions that ended, once it is in force. */
  async turn(keySwitch: boolean | null): Promise<number> {
    this.#box.panel = { keySwitch };
    return (await this.link.call(gatewayPanel, { panel: this.#box.panel })).ended;
  }

  /** Control is gone, as far as the gateway can see. */
  async leave(): Promise<void> {
    const seen = this.appliance.log.length;
    await this.#box.leave();
    await this.appliance.logged("control is away", seen);
  }

  /** And is there again, `keySwitch` as it stands then. */
  async comeBack(keySwitch: boolean | null): Promise<void> {
    const seen = this.appliance.log.length;
    this.#box.panel = { keySwitch };
    await this.#box.serve();
    await this.appliance.attached(seen);
  }

  open(credential: Credential, service?: string): Promise<ModbusClient> {
    return ModbusClient.connect(this.appliance, {
      credential,
      ...(service === undefined ? {} : { service }),
    });
  }

  /** Of a read over a new connection; null: it was closed. */
  async exceptionOf(credential: Credential): Promise<number | null> {
    try {
      return (await (await this.open(credential)).read(10)).exception;
    } catch {
      return null;
    }
  }

  /** As soon as there are `count` of them, oldest first. */
  async recorded(count: number, matches: (record: AuditRecord) => boolean): Promise<AuditRecord[]> {
    const found = (): AuditRecord[] => this.#audit.read({ limit: 10_000 }).filter(matches);
    await until(() => found().length >= count, `${count} records; there are:\n${JSON.stringify(found())}`);
    return found();
  }
}
