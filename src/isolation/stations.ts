/**
 * Who is on the two ports: what the packet sockets hear, held against the site document. A machine with another MAC address, a
 * station nobody knows, an address claimed twice: each is on record once, and again when it comes back after an hour without it.
 */
import type { RecordDraft } from "../audit/index.ts";
import type { Clock } from "../base/index.ts";
import type { Neighbour } from "../link/index.ts";
import type { Snapshot } from "../site/index.ts";
import { Notices } from "./notices.ts";
import { isGroupMac } from "./packet/address.ts";
import { arpAnnouncement, arpReply, parseArp, type Arp } from "./packet/arp.ts";
import { parseFrame, type Frame } from "./packet/ethernet.ts";
import type { Port, Refusal } from "./refusal.ts";
import { addressUsed, findingOf, type Finding, type Known, type OwnPort } from "./station-findings.ts";
import { StationTable } from "./station-table.ts";

/** RFC 5227, 2.4(c): DEFEND_INTERVAL. Milliseconds. */
const DEFEND_INTERVAL = 10_000;
/** A probe is answered like any request, if not faster than anybody in earnest asks. */
const ANSWER_INTERVAL = 1_000;

/** What follows from a frame. */
export interface Observed {
  /** To be recorded now. */
  readonly draft: RecordDraft | null;
  /** For the book of refusals: that the frame went nowhere. */
  readonly refusal: Refusal | null;
  /** A frame to send at the same port. */
  readonly send: Buffer | null;
}

const NOTHING: Observed = Object.freeze({ draft: null, refusal: null, send: null });

export class Stations {
  readonly #clock: Clock;
  readonly #freshId: () => string;
  readonly #table: StationTable;
  readonly #notices = new Notices();
  readonly #defended = new Map<string, number>();
  /** Addresses claimed again since they were announced last, and where. */
  readonly #owed = new Map<string, { readonly port: Port; readonly address: string }>();
  /** Null: no site document with a network is in force, and nobody is known or unknown. */
  #known: Known | null = null;
  #version = 0;
  #dhcp = false;

  constructor(clock: Clock, freshId: () => string) {
    this.#clock = clock;
    this.#freshId = freshId;
    this.#table = new StationTable(clock);
  }

  /** What is wrong under the new document is on record anew. */
  use(snapshot: Snapshot | null, own: Readonly<Record<Port, OwnPort>>): void {
    this.#notices.clear();
    this.#defended.clear();
    this.#owed.clear();
    this.#version = snapshot?.version ?? 0;
    const network = snapshot?.network ?? null;
    this.#dhcp = network?.device?.dhcp ?? false;
    if (snapshot === null || network === null) {
      this.#known = null;
      return;
    }
    const { machines } = snapshot;
    this.#known = {
      own,
      inline: network.mode === "inline",
      byMac: new Map(machines.flatMap((machine) => (machine.mac === null ? [] : [[machine.mac, machine]]))),
      byAddress: new Map(
        machines.flatMap((machine) => (machine.address === null ? [] : [[machine.address, machine]])),
      ),
    };
  }

  /** `bytes`: a frame as the packet socket of `port` gave it, from anybody. */
  observe(port: Port, bytes: Uint8Array): Observed {
    const frame = parseFrame(bytes);
    const known = this.#known;
    if (frame === null) return NOTHING;
    // ARP of a VLAN speaks of addresses that are not this network's.
    const arp = frame.what === "ARP" ? parseArp(frame, bytes) : null;
    const isMachine = known?.byMac.has(frame.source) ?? false;
    this.#table.hear(port, frame.source, addressUsed(frame, arp), frame.what, isMachine);
    if (known === null) return NOTHING;
    const finding = findingOf(port, frame, arp, known);
    return {
      draft: finding === null ? null : this.#draft(port, finding),
      refusal: port === "device" ? this.#refusal(frame, bytes.length, known) : null,
      send: finding === null ? null : this.#defence(port, finding, arp, known),
    };
  }

  /**
   * Announcements whose time has come, to be asked for every second or so. Who heard the last claim of a burst would else believe it
   * until he asks again himself, and some controllers do so after minutes.
   */
  due(): { readonly port: Port; readonly send: Buffer }[] {
    const known = this.#known;
    if (known === null) return [];
    const now = this.#clock.monotonic();
    return [...this.#owed].flatMap(([key, { port, address }]) => {
      if (now - (this.#defended.get(key) ?? -Infinity) < DEFEND_INTERVAL) return [];
      this.#owed.delete(key);
      this.#defended.set(key, now);
      return [{ port, send: arpAnnouncement(known.own[port].mac, address) }];
    });
  }

  neighbours(): Neighbour[] {
    return this.#table.view((mac) => this.#known?.byMac.get(mac)?.name ?? null);
  }

  #draft(port: Port, { event, machine, mac, address, reason }: Finding): RecordDraft | null {
    const who = event === "unknown-station" ? mac : `${mac} ${address}`;
    const met = this.#notices.meet(`${event} ${port} ${machine ?? ""}`, who, this.#clock.monotonic());
    if (met === "known") return null;
    const more = met === "last" ? ". There are many such: more are not recorded one by one for an hour" : "";
    return {
      time: this.#clock.now(),
      kind: "network",
      id: this.#freshId(),
      source: mac,
      ...(machine === null ? {} : { machine }),
      reason: `${reason}${more}`,
      ...(this.#version > 0 ? { siteVersion: this.#version } : {}),
      detail: { event, port, mac, ...(address === null ? {} : { address }) },
    };
  }

  #refusal(frame: Frame, bytes: number, { byMac, own }: Known): Refusal | null {
    const { source, destination, what } = frame;
    if (source === own.device.mac || source === own.uplink.mac) return null;
    const machine = byMac.get(source);
    // The kernel answers ARP, the ruleset judges plain IPv4, and dnsmasq takes DHCP where the site has it.
    if (machine !== undefined && (what === "ARP" || what === "IPv4" || (what === "DHCP" && this.#dhcp)))
      return null;
    return {
      stage: machine === undefined ? "unknown-station" : "link-layer",
      on: "device",
      source,
      machine: machine?.name ?? null,
      target: destination,
      transport: null,
      sourcePort: -1,
      targetPort: -1,
      what,
      bytes,
      odd: false,
      name: null,
    };
  }

  #defence(port: Port, { defend, address }: Finding, arp: Arp | null, known: Known): Buffer | null {
    if (defend === null || address === null) return null;
    const now = this.#clock.monotonic();
    const key = `${defend} ${port} ${address}`;
    const interval = defend === "announce" ? DEFEND_INTERVAL : ANSWER_INTERVAL;
    if (now - (this.#defended.get(key) ?? -Infinity) < interval) {
      if (defend === "announce") this.#owed.set(key, { port, address });
      return null;
    }
    // An answer goes to one station: to none that is a group, or the answer to one frame would be a frame to all.
    if (defend === "answer" && (arp === null || isGroupMac(arp.senderMac))) return null;
    this.#defended.set(key, now);
    this.#owed.delete(key);
    const { mac } = known.own[port];
    return defend === "announce" || arp === null ? arpAnnouncement(mac, address) : arpReply(mac, arp);
  }
}
