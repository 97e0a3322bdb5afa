/**
 * The classic BPF programs of the packet sockets: they decide in the kernel which frames netd gets to see, so that what is
 * merely forwarded never wakes it. They let nothing through the appliance; what they leave out, netd does not know of.
 *
 * An instruction is struct sock_filter in the machine's own (little-endian) order: code (2), jump if true (1), jump if
 * false (1), operand (4). Kernel documentation, networking/filter.
 */
import { BugError } from "../../base/index.ts";
import { macBytes } from "./address.ts";
import { ETHERNET_HEADER } from "./ethernet.ts";
import { ETHER_TYPE } from "./frame-words.ts";

/** BPF_MAXINSNS. */
export const MAX_INSTRUCTIONS = 4_096;
/** Known MACs a program can hold; with more, only what is no plain IPv4 unicast is seen. */
export const MAX_KNOWN = 500;

const LOAD_WORD = 0x20;
const LOAD_HALF = 0x28;
const LOAD_BYTE = 0x30;
const LOAD_LENGTH = 0x80;
const AND = 0x54;
const JUMP = 0x05;
const IF_EQUAL = 0x15;
const IF_AT_LEAST = 0x35;
const IF_ANY_BIT = 0x45;
const RETURN = 0x06;

/** SKF_AD_OFF + SKF_AD_VLAN_TAG: the tag that the kernel took off the frame before the filter sees it. */
const VLAN_TAG = 0xffff_f000 + 44;
const VLAN_ID = 0x0fff;
/** Bytes handed over at most: all there are. */
const WHOLE = 0x4_0000;
const SHORTEST_IPV4 = ETHERNET_HEADER + 20;
const FIRST_MULTICAST = 0xe000_0000;

type Instruction = readonly [code: number, operand: number, ifTrue?: number, ifFalse?: number];

const ACCEPT: Instruction = [RETURN, WHOLE];
const IGNORE: Instruction = [RETURN, 0];

/** For the device port: all frames but plain IPv4 unicast of the stations with the `known` MACs. */
export function deviceFilter(known: readonly string[]): Buffer {
  return assemble([
    // A frame too short for IPv4 would end the program, unseen, at the first load beyond its end.
    [LOAD_LENGTH, 0],
    [IF_AT_LEAST, SHORTEST_IPV4, 1, 0],
    ACCEPT,
    [LOAD_WORD, VLAN_TAG],
    [AND, VLAN_ID],
    [IF_EQUAL, 0, 1, 0],
    ACCEPT,
    [LOAD_HALF, 12],
    [IF_EQUAL, ETHER_TYPE.ipv4, 1, 0],
    ACCEPT,
    [LOAD_BYTE, 0],
    [IF_ANY_BIT, 1, 2, 0],
    [LOAD_WORD, 30],
    [IF_AT_LEAST, FIRST_MULTICAST, 0, 1],
    ACCEPT,
    ...knownMacs(known),
  ]);
}

/** For the uplink: ARP alone, and not that of a VLAN. */
export function arpFilter(): Buffer {
  return assemble([
    [LOAD_WORD, VLAN_TAG],
    [AND, VLAN_ID],
    [IF_EQUAL, 0, 1, 0],
    IGNORE,
    [LOAD_HALF, 12],
    [IF_EQUAL, ETHER_TYPE.arp, 0, 1],
    ACCEPT,
    IGNORE,
  ]);
}

function knownMacs(known: readonly string[]): readonly Instruction[] {
  const macs = new Set(known);
  if (macs.size > MAX_KNOWN) return [IGNORE];
  const groups = new Map<number, number[]>();
  for (const mac of macs) {
    const bytes = Buffer.from(macBytes(mac));
    const high = bytes.readUInt32BE(0);
    groups.set(high, [...(groups.get(high) ?? []), bytes.readUInt16BE(4)]);
  }
  const sorted = [...groups].toSorted(([a], [b]) => a - b);
  return sorted.length === 0 ? [ACCEPT] : [[LOAD_WORD, 6], ...search(sorted)];
}

type Group = readonly [high: number, lows: readonly number[]];

/** With the first four octets loaded: a binary search over them, then the last two one by one. */
function search(groups: readonly Group[]): readonly Instruction[] {
  const [first] = groups;
  if (first === undefined) return [ACCEPT];
  if (groups.length === 1) {
    const [high, lows] = first;
    const listed = lows.flatMap((low): Instruction[] => [[IF_EQUAL, low, 0, 1], IGNORE]);
    return [[IF_EQUAL, high, 1, 0], ACCEPT, [LOAD_HALF, 10], ...listed, ACCEPT];
  }
  const middle = groups.length >> 1;
  const below = search(groups.slice(0, middle));
  const above = search(groups.slice(middle));
  // Conditional jumps reach 255 instructions, a plain one any number.
  return [[IF_AT_LEAST, groups[middle]?.[0] ?? 0, 0, 1], [JUMP, below.length], ...below, ...above];
}

function assemble(program: readonly Instruction[]): Buffer {
  if (program.length > MAX_INSTRUCTIONS) {
    throw new BugError(
      "bpf-length",
      `a packet filter of ${program.length} instructions, more than ${MAX_INSTRUCTIONS}`,
    );
  }
  const out = Buffer.alloc(program.length * 8);
  for (const [i, [code, operand, ifTrue = 0, ifFalse = 0]] of program.entries()) {
    out.writeUInt16LE(code, i * 8);
    out.writeUInt8(ifTrue, i * 8 + 2);
    out.writeUInt8(ifFalse, i * 8 + 3);
    out.writeUInt32LE(operand, i * 8 + 4);
  }
  return out;
}
