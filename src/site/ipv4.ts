/** IPv4 addresses as numbers: which of them a station may have, and which are the appliance's own. */
import { isIPv4 } from "node:net";
import { mistake, shown, type Reading } from "./scalar.ts";
import type { Interval } from "./snapshot.ts";

export function ipv4Number(address: string): number {
  return address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}

export function ipv4Text(value: number): string {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join(".");
}

/** First and last address of the subnet an address lies in. */
export function subnetOf(address: string, prefix: number): Interval {
  const size = 2 ** (32 - prefix);
  const value = ipv4Number(address);
  const start = value - (value % size);
  return { start, end: start + size - 1 };
}

export function contains({ start, end }: Interval, address: string): boolean {
  const value = ipv4Number(address);
  return start <= value && value <= end;
}

/** RFC 2544, section C.2.2: no network uses these, so the appliance may use them inside. */
const INNER = subnetOf("198.18.0.0", 15);
const LOOPBACK = subnetOf("127.0.0.0", 8);

/** Machine by machine, the addresses from which the gateway connects in a machine's stead: behind 198.18.1.0. */
export const FIRST_STAND_IN = ipv4Number("198.18.1.1");
/** As far as 198.18.0.0/16 carries, with room to spare. */
export const MAX_STAND_INS = 60_000;
/** Host name by host name, the addresses at which machines reach a destination that has none of its own. */
export const FIRST_NAMED = ipv4Number("198.19.0.1");

/** RFC 1122, section 3.2.1.3; RFC 1112, section 4. */
const UNUSABLE: readonly (readonly [range: Interval, why: string])[] = [
  [subnetOf("0.0.0.0", 8), "is in 0.0.0.0/8, which no station has"],
  [subnetOf("224.0.0.0", 4), "is a multicast address"],
  [subnetOf("240.0.0.0", 4), "is a broadcast or reserved address"],
  [INNER, "is one of the appliance's inner addresses (198.18.0.0/15)"],
];

export function isLoopback(address: string): boolean {
  return contains(LOOPBACK, address);
}

/** Why no station can have this address; null: one can. */
export function unusable(address: string): string | null {
  return UNUSABLE.find(([range]) => contains(range, address))?.[1] ?? null;
}

/** An address of one station. */
export function readIpv4(input: unknown): Reading<string> {
  const expected = "an IPv4 address such as 192.168.1.10";
  if (typeof input !== "string" || !isIPv4(input))
    return mistake(`${shown(input)} is no IPv4 address`, expected);
  const why = unusable(input);
  return why === null ? { value: input } : mistake(`${input} ${why}`, expected);
}

/** An address of one station that is not the appliance itself. */
export function readStation(input: unknown): Reading<string> {
  const reading = readIpv4(input);
  if ("mistake" in reading || !isLoopback(reading.value)) return reading;
  return mistake(`${reading.value} is a loopback address`, "an IPv4 address such as 192.168.1.10");
}

const SHORTEST_PREFIX = 8;
const LONGEST_PREFIX = 30;

/** `192.168.77.1/24`: an address of a station and the length of its subnet's prefix. */
export function readInterface(
  input: unknown,
): Reading<{ readonly address: string; readonly prefix: number }> {
  const expected = `an IPv4 address and its prefix from /${SHORTEST_PREFIX} to /${LONGEST_PREFIX}, such as 192.168.77.1/24`;
  const match = typeof input === "string" ? /^([\d.]+)\/(0|[1-9]\d?)$/.exec(input) : null;
  const [, address = "", digits = ""] = match ?? [];
  if (!isIPv4(address)) return mistake(`${shown(input)} is no address with a prefix`, expected);
  const prefix = Number(digits);
  if (prefix < SHORTEST_PREFIX || prefix > LONGEST_PREFIX) {
    return mistake(`the prefix /${prefix} is outside /${SHORTEST_PREFIX}../${LONGEST_PREFIX}`, expected);
  }
  const station = readStation(address);
  if ("mistake" in station) return station;
  const subnet = subnetOf(address, prefix);
  if (subnet.start <= INNER.end && INNER.start <= subnet.end) {
    return mistake(
      `the subnet of ${address}/${prefix} reaches into the appliance's inner addresses (198.18.0.0/15)`,
      expected,
    );
  }
  const value = ipv4Number(address);
  if (value === subnet.start)
    return mistake(`${address} names the subnet itself`, expected, `${ipv4Text(value + 1)}/${prefix}`);
  if (value === subnet.end) return mistake(`${address} is the subnet's broadcast address`, expected);
  return { value: { address, prefix } };
}
