/** Every setting: its name, what it is where it is not set, what it is for. */
import type { BoxSettings, SealSettings, Settings, TlsFiles } from "./settings.ts";
import type { UpdateSettings } from "./update.ts";

export interface Setting {
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

export const SETTINGS = {
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

/** Names of all settings. */
export const SETTING_NAMES: readonly string[] = Object.values(SETTINGS).map(({ name }) => name);

export type Lookup = (name: string) => string | undefined;

/** Null: not set, or empty. */
export function optional(lookup: Lookup, setting: Setting): string | null {
  return lookup(setting.name)?.trim() || null;
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
