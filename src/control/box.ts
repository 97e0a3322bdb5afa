/** The box itself, as control knows it: its lamps, its panel, its health, and what of all that needs a person's eye. */
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "pino";
import type { BoxHardware, BoxLight, Health, Panel } from "../appliance/index.ts";
import type { AuditLog, RecordDraft } from "../audit/index.ts";
import { messageOf, UnavailableError, type Channel, type Clock } from "../base/index.ts";
import {
  netdStatus,
  panelAcknowledge,
  type BoxView,
  type NetdStatus,
  type OwnCertificateState,
  type PanelState,
} from "../link/index.ts";
import { faultsOf } from "./box-faults.ts";
import { EdgeSums, type EdgeSum } from "./edge-sums.ts";
import { FaultBook, stateText } from "./faults.ts";
import type { GatewayLink } from "./gateway-link.ts";
import type { NetdLink, RulesetState } from "./netd-link.ts";
import { PanelKeeper } from "./panel.ts";
import type { PanelStore } from "./panel-store.ts";
import { boxDraft } from "./panel-words.ts";
import { Traffic } from "./traffic.ts";

export interface BoxParts {
  readonly hardware: BoxHardware;
  readonly audit: Pick<AuditLog, "append" | "openSessions" | "state">;
  readonly clock: Clock;
  readonly log: Logger;
  readonly store: PanelStore;
  readonly gateway: Pick<GatewayLink, "attached" | "call">;
  readonly netd: Pick<NetdLink, "state" | "ruleset" | "call">;
  /** Version of the site document in force; 0: there is none. */
  readonly site: () => number;
  readonly clockBehind: () => number;
  readonly ownCertificate: () => OwnCertificateState | null;
  readonly buttonAllows: number;
  readonly runDir: string;
}

/** For whoever has no call to ask with: the serial console. Below the run directory. */
export const STATE_FILE = "state.txt";

/** Milliseconds between looks at what stands in memory, at a panel that is away, and at what costs something to ask. */
const LOOK = 500;
const LOOK_FOR_PANEL = 2_000;
const LOOK_CLOSELY = 30_000;
/** Milliseconds that a process takes to start, or to start again, without anybody having to know. */
const PATIENCE = 15_000;

export class Box {
  readonly #parts: BoxParts;
  readonly #faults: FaultBook;
  readonly #panel: Panel | null;
  readonly #keeper: PanelKeeper;
  readonly #sums = new EdgeSums<string, boolean>();
  readonly #traffic: Traffic;
  #timer: NodeJS.Timeout | undefined;
  #known = new Set<string>();
  #phase: BoxLight["phase"] = "starting";
  #health: Health;
  #network: NetdStatus | null = null;
  #asked: { readonly ruleset: RulesetState; readonly state: string } | null = null;
  #looked = { panel: -Infinity, closely: -Infinity };
  /** When each process was there last. */
  #there: Record<"gateway" | "netd", number>;
  #text = "";

  constructor(parts: BoxParts) {
    const { clock, hardware, audit } = parts;
    this.#parts = parts;
    this.#faults = new FaultBook(clock);
    this.#traffic = new Traffic(clock, audit);
    this.#keeper = new PanelKeeper({ ...parts, faults: this.#faults });
    this.#health = hardware.health();
    this.#there = { gateway: clock.monotonic(), netd: clock.monotonic() };
    this.#panel = hardware.openPanel((edges) => this.#keeper.changed(edges));
    this.#show();
  }

  /** Control listens: from now on the panel is heard. */
  ready(): void {
    this.#phase = "running";
    this.#timer = setInterval(() => this.look(), LOOK);
    this.look();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#panel?.close();
    this.#phase = "stopping";
    this.#show();
  }

  /** Something begins to need a person's eye, or ceases to (`why` null). `source`: what it is about, one fault each. */
  fault(source: string, why: string | null, advice = ""): void {
    this.#faults.set(source, why, advice);
  }

  panelState(): PanelState {
    return this.#keeper.state();
  }

  /** Answers one command's channel. */
  serve(channel: Channel): void {
    channel.handle(panelAcknowledge, ({ by, reason }) => this.#keeper.acknowledge(by, reason));
  }

  /** A gateway has attached. */
  attached(): void {
    if (this.#phase === "stopping") return;
    this.#traffic.attached();
    this.#keeper.tell();
  }

  /** What the gateway handed in, once it is stored. */
  recorded(drafts: readonly RecordDraft[]): void {
    this.#traffic.recorded(drafts);
  }

  view(): BoxView {
    this.#judge();
    return {
      faults: this.#faults.all,
      panel: this.#panel === null ? null : this.#keeper.view(),
      health: this.#health,
    };
  }

  /** Time has passed. */
  look(): void {
    const { clock, hardware, netd } = this.#parts;
    const now = clock.monotonic();
    if (now - this.#looked.panel >= LOOK_FOR_PANEL) {
      this.#looked.panel = now;
      this.#panel?.look();
    }
    this.#keeper.look();
    const changed = this.#asked?.ruleset !== netd.ruleset || this.#asked.state !== netd.state;
    if (changed || now - this.#looked.closely >= LOOK_CLOSELY) {
      this.#looked.closely = now;
      this.#asked = { ruleset: netd.ruleset, state: netd.state };
      this.#health = hardware.health();
      void this.#askNetd();
    }
    this.#judge();
    this.#record();
    this.#show();
  }

  async #askNetd(): Promise<void> {
    try {
      const attached = this.#parts.netd.state === "attached";
      this.#network = attached ? await this.#parts.netd.call(netdStatus, null) : null;
    } catch (error) {
      this.#network = null;
      if (!(error instanceof UnavailableError)) {
        this.#parts.log.error({ reason: messageOf(error) }, "netd does not say how it stands");
      }
    }
  }

  #judge(): void {
    const { gateway, netd, audit, clockBehind, ownCertificate } = this.#parts;
    const judged = faultsOf({
      gatewayAway: this.#away("gateway", gateway.attached),
      netdAway: this.#away("netd", netd.state !== "away"),
      ruleset: netd.ruleset.problem,
      network: this.#network?.problems ?? [],
      certificate: ownCertificate(),
      audit: audit.state,
      clockBehind: clockBehind(),
      health: this.#health,
      panel: this.#panel?.problem ?? null,
    });
    for (const { source, why, advice } of judged) this.#faults.set(source, why, advice);
  }

  #away(which: "gateway" | "netd", there: boolean): boolean {
    const now = this.#parts.clock.monotonic();
    if (there) this.#there[which] = now;
    return now - this.#there[which] > PATIENCE;
  }

  /** What begins and what ceases; an opened cover is on record by itself. */
  #record(): void {
    const { clock, audit, log } = this.#parts;
    const faults = new Set(this.#faults.all.map(({ source }) => source));
    for (const source of new Set([...faults, ...this.#known])) {
      const wrong = faults.has(source);
      if (source !== "cover" && wrong !== this.#known.has(source)) this.#sums.add(source, wrong, clock.now());
    }
    this.#known = faults;
    const due = this.#sums.take(clock.monotonic());
    if (due.length === 0) return;
    audit
      .append(
        due.map((sum) => this.#draft(sum)),
        "soon",
      )
      .catch((error: unknown) => {
        for (const sum of due) this.#sums.putBack(sum);
        log.warn({ reason: messageOf(error) }, "what is wrong with the box is not on record yet");
      });
  }

  #draft({ name, state, changes, time }: EdgeSum<string, boolean>): RecordDraft {
    const why = this.#faults.all.find(({ source }) => source === name)?.why;
    const text = why === undefined ? `all is well again with the ${name}` : why;
    return boxDraft(time, "degraded", text, {
      source: name,
      wrong: state,
      ...(changes > 2 ? { changes } : {}),
    });
  }

  #show(): void {
    const faults = this.#faults.all;
    const { refused, sessions } = this.#traffic.now();
    const protection = this.#protection();
    this.#parts.hardware.show({
      phase: this.#phase,
      protection,
      sessions,
      refused,
      fault: this.#keeper.opened ? "tampered" : faults.length > 0 ? "some" : "none",
    });
    this.#write(stateText(this.#standing(protection), faults));
  }

  #protection(): BoxLight["protection"] {
    const { gateway, netd, site, ownCertificate } = this.#parts;
    if (netd.state === "absent") return "none";
    const ruleset =
      this.#network !== null && this.#network.mode !== "closed" && this.#network.site === site();
    const open = gateway.attached && (ownCertificate()?.notAfter ?? 0) > this.#parts.clock.now();
    return this.#phase === "running" && ruleset && open ? "whole" : "part";
  }

  #standing(protection: BoxLight["protection"]): string {
    if (this.#phase === "starting") return "niac starts";
    if (this.#phase === "stopping") return "niac stops";
    const { gateway, site, netd, ownCertificate } = this.#parts;
    if (site() === 0) return "closed: no site document was applied yet";
    if (protection === "whole") return `protected: version ${site()} of the site document is in force`;
    if (protection === "none") return "not in the cable: a gateway on its own addresses";
    if (!gateway.attached || netd.state === "away") return "not whole: a part of niac does not run";
    if ((ownCertificate()?.notAfter ?? null) === null)
      return "nobody can connect: the gateway has no certificate";
    return `not whole: version ${site()} of the site document is not in force`;
  }

  #write(text: string): void {
    if (text === this.#text) return;
    this.#text = text;
    const path = join(this.#parts.runDir, STATE_FILE);
    try {
      writeFileSync(`${path}.new`, text, { mode: 0o644 });
      renameSync(`${path}.new`, path);
    } catch (error) {
      this.#parts.log.warn({ reason: messageOf(error) }, "the console cannot be told how the box stands");
    }
  }
}
