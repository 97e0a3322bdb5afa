import { BlockList, isIP } from "node:net";
import { UsageError } from "../base/index.ts";
import type { TokenKey } from "./profile.ts";

/** Which box, and as whom: what each command that talks to a box can be told. */
export interface TypedPlace {
  readonly via?: string;
  readonly appliance?: string;
  readonly certificate?: string;
  readonly key?: string;
  readonly ca?: string;
}

/** What was typed after `niac connect`. */
export interface Typed extends TypedPlace {
  readonly machines: readonly string[];
  readonly listen?: string;
  readonly unsafeListen?: string;
  readonly port?: string;
}

export interface Wanted {
  readonly machine: string;
  /** Null: all services of the machine. */
  readonly service: string | null;
}

/** Which box, and as whom. */
export interface Place {
  /** Where the appliance listens for every service. */
  readonly via: { readonly host: string; readonly port: number };
  /** The name or address that the appliance's certificate must carry. */
  readonly appliance: string;
  /** Paths of PEM files. */
  readonly files: { readonly certificate: string; readonly key: string; readonly ca: string };
  /** Where the key lies, when it is in no file; `files.key` then means nothing. */
  readonly token: TokenKey | null;
}

/** What a profile says, where nothing else does. */
export interface ProfilePlace extends Pick<Place, "files" | "token"> {
  readonly via: string;
  readonly appliance: string;
}

export interface ConnectOptions extends Place {
  readonly wanted: readonly Wanted[] | "all";
  /** Local address of the opened ports. */
  readonly listen: string;
  /** Exactly this local port; null: the machine's own, or one near it. */
  readonly port: number | null;
}

/** The appliance's default for NIAC_LISTEN_SERVICES. */
export const SERVICES_PORT = 8443;

const FROM_ENVIRONMENT = [
  ["via", "NIAC_VIA", "<host:port>, where the appliance is reached"],
  ["certificate", "NIAC_CERTIFICATE", "<file>, your certificate and its chain (PEM)"],
  ["key", "NIAC_KEY", "<file>, the key of that certificate (PEM)"],
  ["ca", "NIAC_CA", "<file>, the authority that issued the appliance's certificate (PEM)"],
] as const;

const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;

/** Throws a UsageError that names what is missing, all of it at once, or the option that is wrong. */
export function readOptions(
  typed: Typed,
  lookup: (name: string) => string | undefined,
  profile: ProfilePlace | null = null,
): ConnectOptions {
  const place = readPlace(typed, lookup, profile);
  return {
    wanted: parseWanted(typed.machines),
    ...place,
    listen: localAddress(typed),
    port: typed.port === undefined ? null : exactPort(typed.port),
  };
}

/** What is typed goes before the environment, and both before the profile. */
export function readPlace(
  typed: TypedPlace,
  lookup: (name: string) => string | undefined,
  profile: ProfilePlace | null,
): Place {
  const given = { via: "", certificate: "", key: "", ca: "" };
  for (const [option, variable] of FROM_ENVIRONMENT) {
    given[option] = typed[option] ?? lookup(variable)?.trim() ?? "";
  }
  // A certificate of one's own and the profile's key would never fit.
  const own = given.certificate !== "" || given.key !== "";
  const values = {
    via: given.via || (profile?.via ?? ""),
    certificate: own ? given.certificate : (profile?.files.certificate ?? ""),
    key: own ? given.key : (profile?.files.key ?? ""),
    ca: given.ca || (profile?.files.ca ?? ""),
  };
  const missing = FROM_ENVIRONMENT.filter(([option]) => values[option] === "").map(
    ([option, variable, what]) => `  --${option} ${what}; or ${variable} in the environment`,
  );
  if (missing.length > 0) {
    throw new UsageError(
      "connect-options",
      `there is no profile on this laptop, and without one this command also needs:\n${missing.join("\n")}`,
      "Or enrol this laptop once: niac enroll https://<box>",
    );
  }
  const via = parseVia(values.via);
  const named = (typed.appliance ?? lookup("NIAC_APPLIANCE")?.trim()) || "";
  return {
    via,
    appliance: named || (given.via === "" ? (profile?.appliance ?? via.host) : via.host),
    files: { certificate: values.certificate, key: values.key, ca: values.ca },
    token: own ? null : (profile?.token ?? null),
  };
}

/** `host`, `host:port`, `192.0.2.1:port`, `[2001:db8::1]:port`. */
export function parseVia(text: string): { host: string; port: number } {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::(\d{1,5}))?$/.exec(text);
  const host = match?.[1] ?? match?.[2] ?? "";
  const port = match?.[3] === undefined ? SERVICES_PORT : Number(match[3]);
  const good = match?.[1] === undefined ? host !== "" : isIP(host) === 6;
  if (good && port >= 1 && port <= 65_535) return { host, port };
  throw new UsageError(
    "via",
    `--via is ${JSON.stringify(text)}; it takes host:port, such as box-3.plant-7.example:${SERVICES_PORT}, 192.0.2.1:${SERVICES_PORT} or [2001:db8::1]:${SERVICES_PORT}`,
  );
}

function parseWanted(machines: readonly string[]): readonly Wanted[] | "all" {
  if (machines.length === 1 && machines[0] === "all") return "all";
  return machines.map((text) => {
    const [machine = "", service, ...more] = text.split("/");
    const good = [machine, service ?? "all"].every((name) => NAME.test(name)) && more.length === 0;
    if (good) return { machine, service: service ?? null };
    throw new UsageError(
      "machine-name",
      `${JSON.stringify(text)} names no machine; a machine is named like press-4, one of its services like press-4/modbus`,
    );
  });
}

function localAddress({ listen, unsafeListen }: Typed): string {
  const address = unsafeListen ?? listen ?? "127.0.0.1";
  const option = unsafeListen === undefined ? "--listen" : "--unsafe-listen";
  if (unsafeListen !== undefined && listen !== undefined) {
    throw new UsageError("listen-twice", "--listen and --unsafe-listen exclude each other");
  }
  if (isIP(address) === 0) {
    throw new UsageError("listen", `${option} is ${JSON.stringify(address)}; it takes an IP address`);
  }
  if (unsafeListen === undefined && !isLoopback(address)) {
    throw new UsageError(
      "listen-open",
      `--listen ${address} is reachable from other computers, and whoever reaches the port acts with your certificate`,
      "Leave it at 127.0.0.1; if you must, write --unsafe-listen.",
    );
  }
  return address;
}

function isLoopback(address: string): boolean {
  const loopback = new BlockList();
  loopback.addSubnet("127.0.0.0", 8, "ipv4");
  loopback.addAddress("::1", "ipv6");
  return loopback.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
}

function exactPort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port >= 1 && port <= 65_535) return port;
  throw new UsageError("port", `--port is ${JSON.stringify(text)}; it takes a whole number from 1 to 65535`);
}
