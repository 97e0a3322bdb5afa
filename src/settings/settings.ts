import { isIP } from "node:net";
import { UsageError } from "../base/index.ts";

export interface Address {
  readonly host: string;
  readonly port: number;
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
  /** Modbus/TCP Security; the machine by SNI, or the only Modbus machine there is. */
  readonly listenModbus: Address;
  /** Any service, by SNI or ALPN. */
  readonly listenServices: Address;
  readonly logLevel: "fatal" | "error" | "warn" | "info" | "debug" | "trace";
}

interface Setting {
  readonly name: string;
  readonly fallback: string | null;
  readonly what: string;
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
  logLevel: { name: "NIAC_LOG_LEVEL", fallback: "info", what: "fatal, error, warn, info, debug or trace" },
} as const satisfies Record<keyof Settings, Setting>;

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
    tlsClientCa: text(SETTINGS.tlsClientCa),
    listenModbus: address(SETTINGS.listenModbus),
    listenServices: address(SETTINGS.listenServices),
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
