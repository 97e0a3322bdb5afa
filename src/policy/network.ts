import { isIPv4, isIPv6 } from "node:net";
import { UsageError } from "../base/index.ts";

export interface Address {
  readonly bits: 32 | 128;
  readonly value: bigint;
}

export interface Network extends Address {
  /** Bits that do not count. */
  readonly shift: bigint;
}

const MAPPED = 0xffffn;

/**
 * An IPv4 or IPv6 address as sockets give it: a zone (`%eth0`) is dropped, an IPv4-mapped address is the IPv4 address
 * it stands for. Null: no address.
 */
export function parseAddress(text: string): Address | null {
  const zone = text.indexOf("%");
  const bare = zone === -1 ? text : text.slice(0, zone);
  if (isIPv4(bare)) return { bits: 32, value: dotted(bare) };
  if (!isIPv6(bare)) return null;
  const value = colons(bare);
  return value >> 32n === MAPPED ? { bits: 32, value: value & 0xffff_ffffn } : { bits: 128, value };
}

/** CIDR form; an address alone stands for itself. Throws UsageError where it is neither. */
export function parseNetwork(text: string): Network {
  const [base = "", length, ...rest] = text.split("/");
  const address = parseAddress(base);
  const written = isIPv4(base) ? 32 : 128;
  const prefix = length === undefined ? written : /^\d{1,3}$/.test(length) ? Number(length) : -1;
  // ::ffff:10.0.0.0/104 is 10.0.0.0/8; a shorter prefix would mix IPv4 with what is not.
  const counted = address === null ? -1 : prefix - (written - address.bits);
  if (address === null || rest.length > 0 || base.includes("%") || counted < 0 || counted > address.bits) {
    throw new UsageError("network", `"${text}" is no network`, "Write it as 10.1.0.0/16 or fd00:12::/32.");
  }
  const shift = BigInt(address.bits - counted);
  return { bits: address.bits, value: address.value >> shift, shift };
}

export function inNetwork(address: Address, network: Network): boolean {
  return address.bits === network.bits && address.value >> network.shift === network.value;
}

function dotted(text: string): bigint {
  return text.split(".").reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

/** `text` has passed isIPv6, so only its layout is read here. */
function colons(text: string): bigint {
  const tail = text.slice(text.lastIndexOf(":") + 1);
  if (tail.includes(".")) {
    const low = dotted(tail);
    const words = `${(low >> 16n).toString(16)}:${(low & 0xffffn).toString(16)}`;
    return colons(text.slice(0, text.length - tail.length) + words);
  }
  const [left = "", right] = text.split("::");
  const head = left === "" ? [] : left.split(":");
  const end = right === undefined || right === "" ? [] : right.split(":");
  const zeros = Array.from({ length: 8 - head.length - end.length }, () => "0");
  return [...head, ...zeros, ...end].reduce((sum, word) => (sum << 16n) | BigInt(`0x${word}`), 0n);
}
