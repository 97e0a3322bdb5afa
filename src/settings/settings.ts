import { UsageError } from "../base/index.ts";
import { optional, SETTINGS, type Lookup, type Setting } from "./names.ts";
import {
  parseAddress,
  readButton,
  readCable,
  readName,
  readOrigin,
  readRotation,
  readTlsFiles,
} from "./readers.ts";
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

const LOG_LEVELS = ["fatal", "error", "warn", "info", "debug", "trace"] as const;

/**
 * Reads every setting through `lookup` and says all that is wrong at once.
 */
export function readSettings(lookup: Lookup): Settings {
  const { settings, problems } = judgeSettings(lookup);
  if (problems.length === 0) return settings;
  throw new UsageError(
    "settings",
    `The settings are not complete:\n  ${problems.join("\n  ")}`,
    "Set them in the environment, or in a file of NAME=value lines given with --settings.",
  );
}

/** `problems`: each begins with the name of the setting that it is about. Where there are any, `settings` are not to be used. */
export function judgeSettings(lookup: Lookup): {
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
