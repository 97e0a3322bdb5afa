/** What is wrong with a frame's sender, judged from the frame and the site document alone; in words for the record. */
import type { Machine } from "../site/index.ts";
import { NO_ADDRESS } from "./packet/address.ts";
import { isProbe, type Arp } from "./packet/arp.ts";
import type { Frame } from "./packet/ethernet.ts";
import type { Port } from "./refusal.ts";

/** One of the appliance's two ports; `address` null: it has none of its own there. */
export interface OwnPort {
  readonly mac: string;
  readonly address: string | null;
}

export interface Known {
  readonly own: Readonly<Record<Port, OwnPort>>;
  readonly byMac: ReadonlyMap<string, Machine>;
  readonly byAddress: ReadonlyMap<string, Machine>;
  /** Machines keep their addresses in the plant's network, and the appliance answers for them there. */
  readonly inline: boolean;
}

export type StationEvent =
  | "mac-changed"
  | "unknown-station"
  | "other-address"
  | "address-claimed"
  | "address-asked"
  | "own-address-claimed"
  | "machine-on-uplink"
  | "ports-joined";

export interface Finding {
  readonly event: StationEvent;
  readonly machine: string | null;
  readonly mac: string;
  readonly address: string | null;
  readonly reason: string;
  /** To keep an address, an announcement of it; to a probe, an answer. RFC 5227, 2.4 and 2.1.1. */
  readonly defend: "announce" | "answer" | null;
}

/** The IPv4 address that a frame's sender uses as its own; null: none, as in a probe. */
export function addressUsed(frame: Frame, arp: Arp | null): string | null {
  const address = arp === null ? frame.address : arp.senderAddress;
  return address === NO_ADDRESS ? null : address;
}

export function findingOf(port: Port, frame: Frame, arp: Arp | null, known: Known): Finding | null {
  const other: Port = port === "uplink" ? "device" : "uplink";
  if (frame.source === known.own[other].mac) return portsJoined(frame.source);
  if (frame.source === known.own[port].mac) return null;
  return port === "device"
    ? onDevicePort(frame, arp, known)
    : arp === null
      ? null
      : onUplink(frame, arp, known);
}

function onDevicePort(frame: Frame, arp: Arp | null, known: Known): Finding | null {
  const address = addressUsed(frame, arp);
  const sender = known.byMac.get(frame.source);
  const owner = address === null ? undefined : known.byAddress.get(address);
  const about = { mac: frame.source, address, defend: null };
  if (address !== null && isOwn(address, known)) return ownClaimed("device", frame.source, address);
  if (sender === undefined && owner !== undefined) {
    return {
      ...about,
      event: "mac-changed",
      machine: owner.name,
      reason: `the address of ${owner.name} (${address}) is used on the device port by a station with the MAC address ${frame.source}, and the site document says ${owner.mac}: the machine was exchanged, or something pretends to be it. It gets nothing. If it was exchanged, write the new MAC address into the site document`,
    };
  }
  if (sender === undefined) {
    const uses = address === null ? "" : `, which uses the address ${address}`;
    return {
      ...about,
      event: "unknown-station",
      machine: null,
      reason: `there is a station on the device port that the site document does not name, with the MAC address ${frame.source}${uses}. It gets nothing. Run niac discover to see what it is; then name it in the site document, or unplug it`,
    };
  }
  if (address === null || owner === sender) return null;
  const whose =
    owner === undefined
      ? `, not ${sender.address}`
      : `, which is that of ${owner.name}, not ${sender.address}`;
  return {
    ...about,
    event: "other-address",
    machine: sender.name,
    reason: `${sender.name} (MAC address ${frame.source}) uses the address ${address}${whose} as in the site document. What it sends from there goes nowhere. Set the machine's address right, or the site document`,
  };
}

function onUplink(frame: Frame, arp: Arp, known: Known): Finding | null {
  const { senderMac, senderAddress } = arp;
  const stray = known.byMac.get(frame.source) ?? known.byMac.get(senderMac);
  if (stray !== undefined) {
    return {
      event: "machine-on-uplink",
      machine: stray.name,
      mac: senderMac,
      address: senderAddress === NO_ADDRESS ? null : senderAddress,
      reason: `the MAC address of ${stray.name} (${stray.mac}) is in use on the uplink: a cable leads around the appliance, or something there pretends to be the machine. Follow that MAC address through the switches of the plant network`,
      // Were it the machine itself, an announcement would make it give up its address (RFC 5227, 2.4), and stop.
      defend: null,
    };
  }
  if (senderMac === known.own.uplink.mac) return null;
  if (isOwn(senderAddress, known)) return ownClaimed("uplink", senderMac, senderAddress);
  if (!known.inline) return null;
  const claimed = known.byAddress.get(senderAddress);
  if (claimed !== undefined) {
    return {
      event: "address-claimed",
      machine: claimed.name,
      mac: senderMac,
      address: senderAddress,
      reason: `the address of ${claimed.name} (${senderAddress}) is claimed on the uplink by a station with the MAC address ${senderMac}: it was given the same address, or wants the machine's traffic. The appliance announces the address as its own, at most every 10 s; until the other is gone, clients may reach it and not ${claimed.name}. Find it by that MAC address`,
      defend: "announce",
    };
  }
  const asked = isProbe(arp) ? known.byAddress.get(arp.targetAddress) : undefined;
  if (asked === undefined) return null;
  return {
    event: "address-asked",
    machine: asked.name,
    mac: senderMac,
    address: arp.targetAddress,
    reason: `a station with the MAC address ${senderMac} asked on the uplink whether the address of ${asked.name} (${arp.targetAddress}) is free, and was told that it is not: it was given the same address, or is a switch that looks for hosts in this way`,
    defend: "answer",
  };
}

function isOwn(address: string, { own }: Known): boolean {
  return address === own.uplink.address || address === own.device.address;
}

function ownClaimed(port: Port, mac: string, address: string): Finding {
  const where = port === "uplink" ? "uplink" : "device port";
  return {
    event: "own-address-claimed",
    machine: null,
    mac,
    address,
    reason: `the appliance's own address ${address} is claimed on the ${where} by a station with the MAC address ${mac}: it was given the same address, or wants the appliance's traffic. Find it by that MAC address`,
    defend: "announce",
  };
}

function portsJoined(mac: string): Finding {
  return {
    event: "ports-joined",
    machine: null,
    mac,
    address: null,
    reason: `one port of the appliance hears what the other sends (MAC address ${mac}): a cable or a switch joins the uplink and the device port, so that machines can be reached around the appliance. Part them`,
    defend: null,
  };
}
