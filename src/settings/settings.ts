import { isIP, isIPv4 } from "node:net";
import { UsageError } from "../base/index.ts";
import { readUpdate, type UpdateSettings } from "./update.ts";

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

/** Paths of PEM files. */
export interface TlsFiles {
  /** The appliance's certificate with its chain, root included: MODBUS/TCP Security R-46. */
  readonly certificate: string;
  readonly key: string;
  /** Authorities whose client certificates are accepted. */
  readonly clientCa: string;
  /** Authorities whose servers the gateway trusts where it connects by TLS itself. */
  readonly serverCa: string;
}

export interface SealSettings {
  /** `auto`: the TPM where there is one; `none`; else how tpm2-tools reach it (TCTI), e.g. `device:/dev/tpmrm0`. */
  readonly tpm: string;
  /** Without a TPM: paths of a key file and of a file with a passphrase, either mixed with what is this computer's own; null: not given. */
  readonly keyFile: string | null;
  readonly passphraseFile: string | null;
}

/** The hardware around niac. What is null is not there, and not missed. */
export interface BoxSettings {
  /** First part of the LEDs' names in the kernel: `niac` for niac:green:power and its like. */
  readonly leds: string | null;
  /** What the panel's input device calls itself; named, it must be there. */
  readonly panel: string | null;
  /** Milliseconds that a press of the panel's button allows what the key switch would; 0: nothing. */
  readonly buttonAllows: number;
}

export interface Settings {
  /** Where control keeps its database. */
  readonly stateDir: string;
  /** Where control's two sockets are: `gateway.sock` for the gateway, `admin.sock` for commands. */
  readonly runDir: string;
  /** This appliance's name in the record, the same for the box's life; null: it follows from the box's identity. */
  readonly origin: string | null;
  /** Null: the authority makes all of it. */
  readonly tls: TlsFiles | null;
  /** Milliseconds between rotations of the gateway's own certificate, where the authority issues it. */
  readonly rotation: number;
  /** What seals the authority's keys at rest. */
  readonly seal: SealSettings;
  /** Modbus/TCP Security; the machine by SNI, or the only Modbus machine there is. */
  readonly listenModbus: Address;
  /** Any service, by SNI or ALPN. */
  readonly listenServices: Address;
  /** HTTPS: enrolment of laptops (EST), revocation lists; open once there is an authority. */
  readonly listenEnroll: Address;
  /** Null: the appliance listens on addresses of its own and stands in no cable. */
  readonly cable: CableSettings | null;
  readonly box: BoxSettings;
  /** Where updates of the box's image may come from. */
  readonly update: UpdateSettings;
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
  origin: {
    name: "NIAC_ORIGIN",
    fallback: null,
    what: "this appliance's name in the record; auto: niac- and the beginning of its identity's fingerprint",
  },
  tlsCertificate: {
    name: "NIAC_TLS_CERTIFICATE",
    fallback: "none: the authority issues it",
    what: "PEM file: own certificate and its chain, root included",
  },
  tlsKey: { name: "NIAC_TLS_KEY", fallback: "none", what: "PEM file: key of that certificate" },
  tlsClientCa: {
    name: "NIAC_TLS_CLIENT_CA",
    fallback: "none: the authority's own",
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
  listenEnroll: {
    name: "NIAC_LISTEN_ENROLL",
    fallback: "[::]:443",
    what: "address where laptops enrol (EST over HTTPS), once there is an authority",
  },
  rotation: {
    name: "NIAC_ROTATION",
    fallback: "8h",
    what: "how often the gateway's own certificate is made anew; it is valid three times as long",
  },
  tpm: {
    name: "NIAC_TPM",
    fallback: "auto",
    what: "what seals the authority's keys: auto, none, or a TCTI such as device:/dev/tpmrm0",
  },
  keyFile: {
    name: "NIAC_KEY_FILE",
    fallback: "none",
    what: "without a TPM: file whose content is part of the key that seals",
  },
  passphraseFile: {
    name: "NIAC_PASSPHRASE_FILE",
    fallback: "none",
    what: "without a TPM: file with a passphrase that is part of the key that seals",
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
  leds: {
    name: "NIAC_LEDS",
    fallback: "none",
    what: "first part of the LEDs' names below /sys/class/leds: niac for niac:green:power and its like",
  },
  panel: {
    name: "NIAC_PANEL",
    fallback: "none",
    what: "name of the input device that key switch, button and cover are at: niac-panel",
  },
  buttonAllows: {
    name: "NIAC_BUTTON",
    fallback: "0m",
    what: "how long a press of the panel's button allows what its key switch would, like 15m",
  },
  updateServer: {
    name: "NIAC_UPDATE_SERVER",
    fallback: "none",
    what: "where updates are streamed from: an http or https URL with an IPv4 address, like https://10.20.0.9/niac/",
  },
  updateCa: {
    name: "NIAC_UPDATE_CA",
    fallback: "none: https is not spoken",
    what: "PEM file: authorities that the update server's certificate may come from",
  },
  updateUsb: {
    name: "NIAC_UPDATE_USB",
    fallback: "install",
    what: "what a USB stick with an update does: off, install, or restart (when no session is open)",
  },
  gatewayUser: {
    name: "NIAC_GATEWAY_USER",
    fallback: "niac's own",
    what: "user that the gateway runs as, where niac up is root",
  },
  logLevel: { name: "NIAC_LOG_LEVEL", fallback: "info", what: "fatal, error, warn, info, debug or trace" },
} as const satisfies Record<
  | Exclude<keyof Settings, "cable" | "tls" | "seal" | "box" | "update">
  | `update${Capitalize<keyof UpdateSettings>}`
  | keyof BoxSettings
  | keyof CableNames
  | keyof SealSettings
  | `tls${Capitalize<keyof TlsFiles>}`,
  Setting
>;

const LOG_LEVELS = ["fatal", "error", "warn", "info", "debug", "trace"] as const;

/**
 * Reads every setting through `lookup` and says all that is wrong at once.
 */
export function readSettings(lookup: (name: string) => string | undefined): Settings {
  const { settings, problems } = judgeSettings(lookup);
  if (problems.length === 0) return settings;
  throw new UsageError(
    "settings",
    `The settings are not complete:\n  ${problems.join("\n  ")}`,
    "Set them in the environment, or in a file of NAME=value lines given with --settings.",
  );
}

/** `problems`: each begins with the name of the setting that it is about. Where there are any, `settings` are not to be used. */
export function judgeSettings(lookup: (name: string) => string | undefined): {
  readonly settings: Settings;
  readonly problems: readonly string[];
} {
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
    origin: readOrigin(text(SETTINGS.origin), problems),
    tls: readTlsFiles(lookup, problems),
    rotation: readRotation(text(SETTINGS.rotation), problems),
    seal: Object.freeze({
      tpm: text(SETTINGS.tpm),
      keyFile: optional(lookup, SETTINGS.keyFile),
      passphraseFile: optional(lookup, SETTINGS.passphraseFile),
    }),
    listenModbus: address(SETTINGS.listenModbus),
    listenServices: address(SETTINGS.listenServices),
    listenEnroll: address(SETTINGS.listenEnroll),
    cable: readCable(lookup, problems),
    box: Object.freeze({
      leds: readName(lookup, SETTINGS.leds, problems),
      panel: readName(lookup, SETTINGS.panel, problems),
      buttonAllows: readButton(text(SETTINGS.buttonAllows), problems),
    }),
    update: readUpdate(
      {
        server: optional(lookup, SETTINGS.updateServer),
        ca: optional(lookup, SETTINGS.updateCa),
        usb: text(SETTINGS.updateUsb),
      },
      { server: SETTINGS.updateServer.name, usb: SETTINGS.updateUsb.name },
      problems,
    ),
    gatewayUser: optional(lookup, SETTINGS.gatewayUser),
    logLevel: logLevel ?? "info",
  };
  return { settings: Object.freeze(settings), problems };
}

/** Names of all settings. */
export const SETTING_NAMES: readonly string[] = Object.values(SETTINGS).map(({ name }) => name);

type Lookup = (name: string) => string | undefined;

function optional(lookup: Lookup, setting: Setting): string | null {
  return lookup(setting.name)?.trim() || null;
}

const LONGEST_ORIGIN = 64;

/** A name as a person may have given it; null: `auto`. */
function readOrigin(origin: string, problems: string[]): string | null {
  if (origin.length > LONGEST_ORIGIN)
    problems.push(
      `${SETTINGS.origin.name} has ${origin.length} characters; it takes ${LONGEST_ORIGIN} at most`,
    );
  return origin === "auto" ? null : origin;
}

/** All of them or none, but that `serverCa` is `clientCa` where it is not said. */
function readTlsFiles(lookup: Lookup, problems: string[]): TlsFiles | null {
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
function readRotation(value: string, problems: string[]): number {
  const time = milliseconds(value);
  if (time !== null && time >= SHORTEST_ROTATION && time <= LONGEST_ROTATION) return time;
  problems.push(
    `${SETTINGS.rotation.name} is ${JSON.stringify(value)}; it takes a time from 50ms to 720h, like 8h or 30m`,
  );
  return LONGEST_ROTATION;
}

/** A name and no path. */
function readName(lookup: Lookup, setting: Setting, problems: string[]): string | null {
  const name = optional(lookup, setting);
  if (name !== null && !/^[A-Za-z0-9_-]{1,32}$/.test(name))
    problems.push(`${setting.name} is ${JSON.stringify(name)}; it takes 1 to 32 letters, digits, _ and -`);
  return name;
}

const LONGEST_BUTTON = 12 * 3_600_000;

/** Milliseconds. */
function readButton(value: string, problems: string[]): number {
  const time = milliseconds(value);
  if (time !== null && time <= LONGEST_BUTTON) return time;
  problems.push(
    `${SETTINGS.buttonAllows.name} is ${JSON.stringify(value)}; it takes a time up to 12h, like 15m; 0m: the button allows nothing`,
  );
  return 0;
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
