/** Host names, addresses and networks. */
import { isIPv4, isIPv6 } from "node:net";
import { mistake, shown, type Reading } from "./scalar.ts";

const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** A DNS name (RFC 1123), in lower case and without the last dot; null for anything else, addresses too. */
export function dnsName(text: string): string | null {
  const lower = text.toLowerCase();
  const labels = lower.split(".");
  const last = labels.at(-1) ?? "";
  if (lower.length > 253 || !labels.every((label) => LABEL.test(label)) || /^\d+$/.test(last)) return null;
  return lower;
}

export function readDnsName(input: unknown): Reading<string> {
  const name = typeof input === "string" ? dnsName(input) : null;
  if (name !== null) return { value: name };
  return mistake(`${shown(input)} is no DNS name`, "a DNS name such as box-3.plant-7.example");
}

/** An IP address in its one canonical form, or null. Zones (`%eth0`) and IPv4 inside IPv6 are not taken. */
export function ipAddress(text: string): string | null {
  if (isIPv4(text)) return text;
  if (!isIPv6(text) || text.includes("%")) return null;
  const canonical = new URL(`http://[${text}]/`).hostname.slice(1, -1);
  return canonical.startsWith("::ffff:") ? null : canonical;
}

export function host(text: string): string | null {
  return ipAddress(text) ?? dnsName(text);
}

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** `host:port`, `[v6]:port`; `defaultPort` null: the port must be there. */
export function readEndpoint(input: unknown, defaultPort: number | null): Reading<Endpoint> {
  const expected = `host:port or [IPv6 address]:port${defaultPort === null ? "" : `; without a port, ${defaultPort}`}`;
  if (typeof input !== "string") return mistake(`${shown(input)} is no address`, expected);
  const bare = ipAddress(input);
  if (bare?.includes(":") === true) {
    const suggestion = defaultPort === null ? undefined : `[${bare}]:${defaultPort}`;
    return mistake(`${input}: an IPv6 address stands in brackets`, expected, suggestion);
  }
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::([1-9]\d{0,4}))?$/.exec(input);
  const name = host(match?.[1] ?? match?.[2] ?? "");
  const bracketed = match?.[1] !== undefined;
  if (match === null || name === null || bracketed !== name.includes(":")) {
    return mistake(`${shown(input)} is no address`, expected);
  }
  const port = match[3] === undefined ? defaultPort : Number(match[3]);
  if (port === null) return mistake(`${input} has no port`, expected);
  if (port > 65_535) return mistake(`port ${port} is beyond 65535`, expected);
  return { value: { host: name, port } };
}

export interface Network {
  /** 32 or 128. */
  readonly bits: number;
  readonly prefix: number;
  readonly value: bigint;
}

function addressValue(canonical: string): bigint {
  if (isIPv4(canonical)) return canonical.split(".").reduce((sum, part) => sum * 256n + BigInt(part), 0n);
  const [head = "", tail] = canonical.split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => "0");
  return [...left, ...zeros, ...right].reduce((sum, part) => sum * 65_536n + BigInt(`0x${part}`), 0n);
}

function addressText(value: bigint, bits: number): string {
  if (bits === 32) return [24n, 16n, 8n, 0n].map((shift) => `${(value >> shift) & 255n}`).join(".");
  const parts = [112n, 96n, 80n, 64n, 48n, 32n, 16n, 0n].map((shift) =>
    ((value >> shift) & 65_535n).toString(16),
  );
  return new URL(`http://[${parts.join(":")}]/`).hostname.slice(1, -1);
}

/** A canonical CIDR text to numbers; null where it is none. */
export function network(text: string): Network | null {
  const [address = "", length, ...more] = text.split("/");
  const canonical = ipAddress(address);
  if (canonical === null || more.length > 0) return null;
  const bits = isIPv4(canonical) ? 32 : 128;
  if (length !== undefined && !/^(0|[1-9]\d{0,2})$/.test(length)) return null;
  const prefix = length === undefined ? bits : Number(length);
  return prefix > bits ? null : { bits, prefix, value: addressValue(canonical) };
}

function masked({ bits, prefix, value }: Network): bigint {
  const free = BigInt(bits - prefix);
  return (value >> free) << free;
}

/** `10.1.0.0/16`, `2001:db8::/32`, or one address, to CIDR text. */
export function readNetwork(input: unknown): Reading<string> {
  const expected = "a network such as 10.1.0.0/16, or an address";
  const parsed = typeof input === "string" ? network(input) : null;
  if (parsed === null) return mistake(`${shown(input)} is no network`, expected);
  const first = masked(parsed);
  const canonical = `${addressText(first, parsed.bits)}/${parsed.prefix}`;
  if (first !== parsed.value)
    return mistake(`${shown(input)} has bits beyond its prefix`, expected, canonical);
  return { value: canonical };
}

/** Whether every address of `inner` is in `outer`. */
export function containsNetwork(outer: Network, inner: Network): boolean {
  if (outer.bits !== inner.bits || outer.prefix > inner.prefix) return false;
  return masked({ ...inner, prefix: outer.prefix }) === masked(outer);
}
