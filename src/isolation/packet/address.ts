/** IPv4 and MAC addresses between bytes and text. Readers take a place that the caller has checked to be there. */
import { isIPv4 } from "node:net";
import { BugError } from "../../base/index.ts";

export const MAC_BYTES = 6;
export const BROADCAST_MAC = "ff:ff:ff:ff:ff:ff";
export const NO_MAC = "00:00:00:00:00:00";
/** "This host on this network" (RFC 1122, 3.2.1.3): the sender of an ARP probe and of a first DHCP message. */
export const NO_ADDRESS = "0.0.0.0";

const MAC = /^(?:[0-9a-f]{2}:){5}[0-9a-f]{2}$/;

export function dotted(bytes: Uint8Array, at: number): string {
  return `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`;
}

/** Lower case, with colons. */
export function macText(bytes: Uint8Array, at: number): string {
  let text = hex(bytes[at]!);
  for (let i = at + 1; i < at + MAC_BYTES; i++) text += `:${hex(bytes[i]!)}`;
  return text;
}

/** Four bytes of an address that was checked long before it came here; anything else is a bug. */
export function ipv4Bytes(address: string): readonly number[] {
  if (!isIPv4(address)) throw new BugError("ipv4-address", `${address} is no IPv4 address`);
  return address.split(".").map(Number);
}

export function macBytes(mac: string): readonly number[] {
  if (!MAC.test(mac)) {
    throw new BugError("mac-address", `${mac} is no MAC address in lower case with colons`);
  }
  return mac.split(":").map((octet) => Number.parseInt(octet, 16));
}

/** The group bit of a destination (IEEE 802, 8.2.2): multicast, of which broadcast is one. */
export function isGroupMac(mac: string): boolean {
  return (Number.parseInt(mac.slice(0, 2), 16) & 1) === 1;
}

/**
 * Whether an address names one host somewhere else: not this network (0/8), not loopback (127/8), not multicast (224/4), not
 * reserved or broadcast (240/4). RFC 1122, 3.2.1.3. A subnet's own broadcast address cannot be told from here.
 */
export function isSingleHost(address: string): boolean {
  const first = Number(address.slice(0, address.indexOf(".")));
  return first !== 0 && first !== 127 && first < 224;
}

function hex(octet: number): string {
  return octet.toString(16).padStart(2, "0");
}
