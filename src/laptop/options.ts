import { BlockList, isIP } from "node:net";
import { UsageError } from "../base/index.ts";

/** What was typed after `niac connect`. */
export interface Typed {
  readonly machines: readonly string[];
  readonly via?: string;
  readonly appliance?: string;
  readonly certificate?: string;
  readonly key?: string;
  readonly ca?: string;
  readonly listen?: string;
  readonly unsafeListen?: string;
  readonly port?: string;
}

export interface Wanted {
  readonly machine: string;
  /** Null: all services of the machine. */
  readonly service: string | null;
}

export interface ConnectOptions {
  readonly wanted: readonly Wanted[] | "all";
  /** Where the appliance listens for every service. */
  readonly via: { readonly host: string; readonly port: number };
  /** The name or address that the appliance's certificate must carry. */
  readonly appliance: string;
  /** Paths of PEM files. */
  readonly files: { readonly certificate: string; readonly key: string; readonly ca: string };
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
export function readOptions(typed: Typed, lookup: (name: string) => string | undefined): ConnectOptions {
  const missing: string[] = [];
  const values = { via: "", certificate: "", key: "", ca: "" };
  for (const [option, variable, what] of FROM_ENVIRONMENT) {
    values[option] = typed[option] ?? lookup(variable)?.trim() ?? "";
    if (values[option] === "") missing.push(`  --${option} ${what}; or ${variable} in the environment`);
  }
  if (missing.length > 0) {
    throw new UsageError("connect-options", `niac connect also needs:\n${missing.join("\n")}`);
  }
  const via = parseVia(values.via);
  const wanted = parseWanted(typed.machines);
  return {
    wanted,
    via,
    appliance: (typed.appliance ?? lookup("NIAC_APPLIANCE")?.trim()) || via.host,
    files: { certificate: values.certificate, key: values.key, ca: values.ca },
    listen: localAddress(typed),
    port: typed.port === undefined ? null : exactPort(typed.port),
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
