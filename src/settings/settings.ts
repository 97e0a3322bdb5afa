import { isIP, isIPv4 } from "node:net";
import { UsageError } from "../base/index.ts";

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** The two ports of an appliance that stands in the cable. */
export interface CableSettings {
  /** The kernel's names of the interfaces. */
  readonly uplink: string;
  readonly device: string;
  /** The appliance's own IPv4 address on the uplink; null: the system's configuration gives it. */
  readonly address: { readonly address: string; readonly prefix: number } | null;
  /** The plant's router; null: none, or the system's configuration gives it. */
  readonly gateway: string | null;
}

export interface Settings {
  /** Where control keeps its database. */
  readonly stateDir: string;
  /** Where control's two sockets are: `gateway.sock` for the gateway, `admin.sock` for commands. */
  readonly runDir: string;
  /** This appliance's name in the record; stays the same for the box's life. */
  readonly origin: string;
  /** PEM files of the appliance's TLS certificate (with its chain, root included: MODBUS/TCP Security R-46), key, and trusted client CAs. */
  readonly tlsCertificate: string;
  readonly tlsKey: string;
  readonly tlsClientCa: string;
  /** PEM file: authorities whose servers the gateway trusts where it connects by TLS itself. */
  readonly tlsServerCa: string;
  /** Modbus/TCP Security; the machine by SNI, or the only Modbus machine there is. */
  readonly listenModbus: Address;
  /** Any service, by SNI or ALPN. */
  readonly listenServices: Address;
  /** Null: the appliance listens on addresses of its own and stands in no cable. */
  readonly cable: CableSettings | null;
  /** The user whose rights the gateway runs with where `niac up` is root; null: the same as niac's. */
  readonly gatewayUser: string | null;
  readonly logLevel: "fatal" | "error" | "warn" | "info" | "debug" | "trace";
}

interface Setting {
  readonly name: string;
  readonly fallback: string | null;
  readonly what: string;
}

/** The settings that make up `cable`. */
interface CableNames {
  readonly uplink: unknown;
  readonly device: unknown;
  readonly uplinkAddress: unknown;
  readonly uplinkGateway: unknown;
}

const SETTINGS = {
  stateDir: { name: "NIAC_STATE_DIR", fallback: "/var/lib/niac", what: "directory of the database" },
  runDir: { name: "NIAC_RUN_DIR", fallback: "/run/niac", what: "directory of the sockets between processes" },
  origin: { name: "NIAC_ORIGIN", fallback: null, what: "this appliance's name in the record" },
  tlsCertificate: {
    name: "NIAC_TLS_CERTIFICATE",
    fallback: null,
    what: "PEM file: own certificate and its chain, root included",
  },
  tlsKey: { name: "NIAC_TLS_KEY", fallback: null, what: "PEM file: key of that certificate" },
  tlsClientCa: {
    name: "NIAC_TLS_CLIENT_CA",
    fallback: null,
    what: "PEM file: authorities whose client certificates are accepted",
  },
  tlsServerCa: {
    name: "NIAC_TLS_SERVER_CA",
    fallback: "as NIAC_TLS_CLIENT_CA",
    what: "PEM file: authorities whose servers are trusted, for destinations that are wrapped",
  },
  listenModbus: {
    name: "NIAC_LISTEN_MODBUS",
    fallback: "[::]:802",
    what: "address of the Modbus/TCP Security listener",
  },
  listenServices: {
    name: "NIAC_LISTEN_SERVICES",
    fallback: "[::]:8443",
    what: "address of the listener for every service, by SNI or ALPN",
  },
  uplink: {
    name: "NIAC_UPLINK",
    fallback: "none: a proxy, not in the cable",
    what: "network interface towards the plant",
  },
  device: {
    name: "NIAC_DEVICE_PORT",
    fallback: "none",
    what: "network interface towards the machines",
  },
  uplinkAddress: {
    name: "NIAC_UPLINK_ADDRESS",
    fallback: "as the system gives it",
    what: "own IPv4 address on the uplink, with prefix: 10.20.0.100/24",
  },
  uplinkGateway: {
    name: "NIAC_UPLINK_GATEWAY",
    fallback: "as the system gives it",
    what: "the plant's router, IPv4",
  },
  gatewayUser: {
    name: "NIAC_GATEWAY_USER",
    fallback: "niac's own",
    what: "user that the gateway runs as, where niac up is root",
  },
  logLevel: { name: "NIAC_LOG_LEVEL", fallback: "info", what: "fatal, error, warn, info, debug or trace" },
} as const satisfies Record<Exclude<keyof Settings, "cable"> | keyof CableNames, Setting>;

const LOG_LEVELS = ["fatal", "error", "warn", "info", "debug", "trace"] as const;

/**
 * Reads every setting through `lookup` and says all that is wrong at once.
 */
export function readSettings(lookup: (name: string) => string | undefined): Settings {
  const problems: string[] = [];
  const text = (setting: Setting): string => {
    const value = lookup(setting.name)?.trim();
    if (value) return value;
    if (setting.fallback !== null) return setting.fallback;
    problems.push(`${setting.name} is not set (${setting.what})`);
    return "";
  };
  const address = (setting: Setting): Address => {
    const value = text(setting);
    const parsed = parseAddress(value);
    if (parsed) return parsed;
    problems.push(
      `${setting.name} is ${JSON.stringify(value)}; it takes address:port, like 0.0.0.0:802 or [::]:802`,
    );
    return { host: "", port: 0 };
  };
  const clientCa = text(SETTINGS.tlsClientCa);
  const level = text(SETTINGS.logLevel);
  const logLevel = LOG_LEVELS.find((known) => known === level);
  if (!logLevel)
    problems.push(`${SETTINGS.logLevel.name} is ${JSON.stringify(level)}; it takes ${LOG_LEVELS.join(", ")}`);
  const settings: Settings = {
    stateDir: text(SETTINGS.stateDir),
    runDir: text(SETTINGS.runDir),
    origin: text(SETTINGS.origin),
    tlsCertificate: text(SETTINGS.tlsCertificate),
    tlsKey: text(SETTINGS.tlsKey),
    tlsClientCa: clientCa,
    tlsServerCa: optional(lookup, SETTINGS.tlsServerCa) ?? clientCa,
    listenModbus: address(SETTINGS.listenModbus),
    listenServices: address(SETTINGS.listenServices),
    cable: readCable(lookup, problems),
    gatewayUser: optional(lookup, SETTINGS.gatewayUser),
    logLevel: logLevel ?? "info",
  };
  if (problems.length > 0) {
    throw new UsageError(
      "settings",
      `The settings are not complete:\n  ${problems.join("\n  ")}`,
      "Set them in the environment, or in a file of NAME=value lines given with --settings.",
    );
  }
  return Object.freeze(settings);
}

type Lookup = (name: string) => string | undefined;

function optional(lookup: Lookup, setting: Setting): string | null {
  return lookup(setting.name)?.trim() || null;
}

/** An interface's name (15 characters at most, and no path): it becomes part of rules, commands and paths. */
const INTERFACE = /^[A-Za-z0-9][A-Za-z0-9_-]{0,14}$/;

function readCable(lookup: Lookup, problems: string[]): CableSettings | null {
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

/** Name, default and meaning of every setting, for `--help`. */
export function describeSettings(): string {
  const rows = Object.values(SETTINGS);
  const width = Math.max(...rows.map((row) => row.name.length));
  return rows
    .map(
      (row) =>
        `  ${row.name.padEnd(width)}  ${row.what}${row.fallback === null ? " (no default)" : ` (${row.fallback})`}`,
    )
    .join("\n");
}

function parseAddress(text: string): Address | null {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  if (!match) return null;
  const host = match[1] ?? match[2] ?? "";
  const port = Number(match[3]);
  return isIP(host) !== 0 && port <= 65_535 ? Object.freeze({ host, port }) : null;
}
