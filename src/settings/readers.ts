/** What settings say, read strictly: each reader adds what is wrong to `problems`, and gives something of its type all the same. */
import { isIP, isIPv4 } from "node:net";
import { optional, SETTINGS, type Lookup, type Setting } from "./names.ts";
import type { Address, CableSettings, TlsFiles } from "./settings.ts";

const LONGEST_ORIGIN = 64;

/** A name as a person may have given it; null: `auto`. */
export function readOrigin(origin: string, problems: string[]): string | null {
  if (origin.length > LONGEST_ORIGIN)
    problems.push(
      `${SETTINGS.origin.name} has ${origin.length} characters; it takes ${LONGEST_ORIGIN} at most`,
    );
  return origin === "auto" ? null : origin;
}

/** All of them or none, but that `serverCa` is `clientCa` where it is not said. */
export function readTlsFiles(lookup: Lookup, problems: string[]): TlsFiles | null {
  const { tlsCertificate, tlsKey, tlsClientCa, tlsServerCa } = SETTINGS;
  const needed = [tlsCertificate, tlsKey, tlsClientCa] as const;
  const [certificate, key, clientCa] = needed.map((setting) => optional(lookup, setting));
  const serverCa = optional(lookup, tlsServerCa);
  if (!certificate && !key && !clientCa && !serverCa) return null;
  for (const setting of needed) {
    if (optional(lookup, setting) === null)
      problems.push(`${setting.name} is not set, but others of NIAC_TLS_ are (${setting.what})`);
  }
  return Object.freeze({
    certificate: certificate ?? "",
    key: key ?? "",
    clientCa: clientCa ?? "",
    serverCa: serverCa ?? clientCa ?? "",
  });
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const SHORTEST_ROTATION = 50;
const LONGEST_ROTATION = 720 * 3_600_000;

/** Of `30m` and its like; null: it is none. */
function milliseconds(value: string): number | null {
  const [, digits, unit = ""] = /^(\d{1,9})(ms|s|m|h)$/.exec(value) ?? [];
  return digits === undefined ? null : Number(digits) * (UNITS[unit] ?? 0);
}

/** Milliseconds. */
export function readRotation(value: string, problems: string[]): number {
  const time = milliseconds(value);
  if (time !== null && time >= SHORTEST_ROTATION && time <= LONGEST_ROTATION) return time;
  problems.push(
    `${SETTINGS.rotation.name} is ${JSON.stringify(value)}; it takes a time from 50ms to 720h, like 8h or 30m`,
  );
  return LONGEST_ROTATION;
}

/** A name and no path. */
export function readName(lookup: Lookup, setting: Setting, problems: string[]): string | null {
  const name = optional(lookup, setting);
  if (name !== null && !/^[A-Za-z0-9_-]{1,32}$/.test(name))
    problems.push(`${setting.name} is ${JSON.stringify(name)}; it takes 1 to 32 letters, digits, _ and -`);
  return name;
}

const LONGEST_BUTTON = 12 * 3_600_000;

/** Milliseconds. */
export function readButton(value: string, problems: string[]): number {
  const time = milliseconds(value);
  if (time !== null && time <= LONGEST_BUTTON) return time;
  problems.push(
    `${SETTINGS.buttonAllows.name} is ${JSON.stringify(value)}; it takes a time up to 12h, like 15m; 0m: the button allows nothing`,
  );
  return 0;
}

/** An interface's name (15 characters at most, and no path): it becomes part of rules, commands and paths. */
const INTERFACE = /^[A-Za-z0-9][A-Za-z0-9_-]{0,14}$/;

export function readCable(lookup: Lookup, problems: string[]): CableSettings | null {
  const { uplink: up, device: down, uplinkAddress, uplinkGateway } = SETTINGS;
  const [uplink, device] = [optional(lookup, up), optional(lookup, down)];
  const [address, gateway] = [optional(lookup, uplinkAddress), optional(lookup, uplinkGateway)];
  if (uplink === null && device === null) return null;
  for (const [setting, value] of [
    [up, uplink],
    [down, device],
  ] as const) {
    if (value === null) problems.push(`${setting.name} is not set, but the other port is (${setting.what})`);
    else if (!INTERFACE.test(value))
      problems.push(`${setting.name} is ${JSON.stringify(value)}; it takes an interface's name, like eth0`);
  }
  if (uplink !== null && uplink === device)
    problems.push(`${up.name} and ${down.name} are both ${uplink}; the box stands between two ports`);
  const [, host, prefix] = /^([\d.]+)\/(\d{1,2})$/.exec(address ?? "") ?? [];
  const good = host !== undefined && isIPv4(host) && Number(prefix) >= 1 && Number(prefix) <= 32;
  if (address !== null && !good)
    problems.push(
      `${uplinkAddress.name} is ${JSON.stringify(address)}; it takes an address with its prefix, like 10.20.0.100/24`,
    );
  if (gateway !== null && !isIPv4(gateway))
    problems.push(`${uplinkGateway.name} is ${JSON.stringify(gateway)}; it takes an IPv4 address`);
  return Object.freeze({
    uplink: uplink ?? "",
    device: device ?? "",
    address: good ? Object.freeze({ address: host, prefix: Number(prefix) }) : null,
    gateway,
  });
}

/** `address:port`; null: it is none. */
export function parseAddress(text: string): Address | null {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  if (!match) return null;
  const host = match[1] ?? match[2] ?? "";
  const port = Number(match[3]);
  return isIP(host) !== 0 && port <= 65_535 ? Object.freeze({ host, port }) : null;
}
