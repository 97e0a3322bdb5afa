/**
 * Ethernet frames as the packet socket hands them over, far enough to say who sent what. Nothing crosses the appliance at
 * layer 2, so no frame is ever built from one of these.
 *
 *     destination (6) | source (6) | [tag 0x8100 or 0x88a8 (2) | priority, VLAN (2)]* | type or length (2) | payload
 *                                                                     IEEE 802.3, 3.2.6; IEEE 802.1Q, 9.3 to 9.6
 */
import { dotted, macText } from "./address.ts";
import { ETHER_TYPE, frameWords } from "./frame-words.ts";

export const ETHERNET_HEADER = 14;
/** IEEE 802.1Q, table 9-1: customer tag, service tag; 0x9100 is what came before the latter. */
const TAGS: ReadonlyMap<number, string> = new Map([
  [0x8100, "802.1Q tag"],
  [0x88a8, "802.1ad tag"],
  [0x9100, "double tag"],
]);
/** Tags looked through; what is tagged is refused anyhow. */
const MAX_TAGS = 4;
/** IEEE 802.3, 3.2.6: up to here it is a length, from 0x600 a type. */
const LAST_LENGTH = 0x5dc;

export interface Frame {
  readonly source: string;
  readonly destination: string;
  /** Behind all tags; -1 where a length stood there and LLC follows (IEEE 802.2). */
  readonly etherType: number;
  /** VLAN identifiers, the outer first; 0 is a tag for priority alone. */
  readonly tags: readonly number[];
  /** Sender's IPv4 address in the IPv4 header; null: no IPv4. */
  readonly address: string | null;
  /** What it is in words, e.g. `ARP`, `LLDP`, `PROFINET DCP`, `IPv6 router advertisement`, `802.1Q tag 12`. */
  readonly what: string;
  readonly payloadAt: number;
}

/** Null: too short to be a frame. Never throws. */
export function parseFrame(bytes: Uint8Array): Frame | null {
  if (bytes.length < ETHERNET_HEADER) return null;
  const tags: number[] = [];
  const tagWords: string[] = [];
  let at = ETHERNET_HEADER;
  let type = u16(bytes, 12);
  for (let word = TAGS.get(type); word !== undefined && tags.length < MAX_TAGS; word = TAGS.get(type)) {
    if (bytes.length < at + 4) break;
    const vlan = u16(bytes, at) & 0x0fff;
    tags.push(vlan);
    tagWords.push(`${word} ${vlan}`);
    type = u16(bytes, at + 2);
    at += 4;
  }
  const destination = macText(bytes, 0);
  const etherType = type <= LAST_LENGTH ? -1 : type;
  const hasIpv4 = etherType === ETHER_TYPE.ipv4 && bytes.length >= at + 20 && bytes[at]! >> 4 === 4;
  // A tag that names no VLAN says priority only: PROFINET sends its frames so, and a kernel takes them as if untagged.
  const tagged = tags.some((vlan) => vlan !== 0) || tags.length > 1;
  return {
    source: macText(bytes, 6),
    destination,
    etherType,
    tags,
    address: hasIpv4 ? dotted(bytes, at + 12) : null,
    what: tagged ? tagWords.join(", ") : frameWords(etherType, destination, bytes.subarray(at)),
    payloadAt: at,
  };
}

function u16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}
