import { capturedService, serviceOf, type Machine, type Service, type Snapshot } from "../site/index.ts";

/** ALPN protocol under which the gateway answers with the list of services the certificate may open. */
export const DIRECTORY_PROTOCOL = "niac-directory";

/** What machines' own web pages speak, the best first; h2 is not among them. */
const HTTP_PROTOCOLS = ["http/1.1", "http/1.0"] as const;

export type Found = { readonly kind: "service"; readonly machine: Machine; readonly service: Service };

export interface None {
  readonly kind: "none";
  readonly named: string | null;
  readonly reason: string;
  readonly advice: string;
}

export type Target = Found | { readonly kind: "directory" } | None;

/** What a client said about where it wants to go. */
export interface Wish {
  /** SNI as sent; empty or undefined where there was none. */
  readonly serverName: string | undefined;
  /** The ALPN protocol that was agreed on, or null. */
  readonly protocol: string | null;
  /** The listener is the one of Modbus/TCP Security: the service may be left out where the machine has one Modbus service. */
  readonly modbusOnly: boolean;
}

/**
 * Which service a connection is for. By ALPN `<service>.<machine>`, else by SNI `<service>.<machine>.<appliance>`; on the Modbus
 * listener also `<machine>.<appliance>`, and no name at all where the site has one Modbus service in all.
 */
export function findTarget(snapshot: Snapshot, wish: Wish): Target {
  if (wish.protocol === DIRECTORY_PROTOCOL) return { kind: "directory" };
  if (wish.protocol !== null && parseLabels(wish.protocol)) {
    return named(snapshot, wish.protocol, wish.modbusOnly);
  }
  const name = wish.serverName?.toLowerCase().replace(/\.$/, "") ?? "";
  const suffix = `.${snapshot.site.appliance}`;
  if (name.endsWith(suffix)) return named(snapshot, name.slice(0, -suffix.length), wish.modbusOnly);
  // Another name means another machine: who sends one must not end up at the only one there is.
  if (wish.modbusOnly && (name === "" || name === snapshot.site.appliance)) {
    const all = modbusServices(snapshot.machines);
    if (all.length === 1) return all[0]!;
  }
  const form = `<service>.<machine>.${snapshot.site.appliance}`;
  return {
    kind: "none",
    named: name === "" ? null : name,
    reason:
      name === "" ? "the client named no machine" : `the client asked for ${name}, which is no machine here`,
    advice: `Let the client send the server name ${form} (SNI), or the ALPN protocol <service>.<machine>.`,
  };
}

/** What a client said on its way to a machine's own address. */
export interface CapturedWish extends Pick<Wish, "serverName" | "protocol"> {
  /** Where it was going. */
  readonly address: string;
  readonly port: number;
}

/**
 * The service whose TLS port that is. Names only have to agree: a client that asks by name for another service than the address
 * says is refused. A name that is not this appliance's, the machine's own in DNS say, tells nothing.
 */
export function findCaptured(snapshot: Snapshot, wish: CapturedWish): Found | None {
  const { address, port } = wish;
  const there = capturedService(snapshot, address, port);
  if (!there) {
    const reason = `no machine of this site has a service with TLS at ${address} port ${port}`;
    return { kind: "none", named: null, reason, advice: "See `niac site show` for machines' `tlsPort`." };
  }
  const { machine, service } = there;
  const own = `${service.name}.${machine.name}`;
  const name = wish.serverName?.toLowerCase().replace(/\.$/, "") ?? "";
  const suffix = `.${snapshot.site.appliance}`;
  const byName = name.endsWith(suffix) ? name.slice(0, -suffix.length) : null;
  const byProtocol = wish.protocol !== null && parseLabels(wish.protocol) ? wish.protocol : null;
  const other = [byProtocol, byName].find((each) => each !== null && each !== own && each !== machine.name);
  if (other != null) {
    return {
      kind: "none",
      named: other,
      reason: `the client asked for ${other} at ${address} port ${port}, which is ${own}`,
      advice: `Connect to the address of ${other}, or ask for ${own}${suffix}.`,
    };
  }
  if (wish.protocol !== null && byProtocol === null && service.protocol !== "tcp") {
    return {
      kind: "none",
      named: own,
      reason: `the client spoke ${wish.protocol} to ${own}, which speaks Modbus`,
      advice: "Let the client offer no ALPN protocol.",
    };
  }
  return { kind: "service", machine, service };
}

/** As chooseProtocol, for a machine's own address: what it offers is judged by findCaptured, and there is no directory. */
export function chooseCapturedProtocol(snapshot: Snapshot, offered: readonly string[]): string | undefined {
  const ours = offered.find(
    (protocol) =>
      parseLabels(protocol) &&
      findTarget(snapshot, { serverName: undefined, protocol, modbusOnly: false }).kind === "service",
  );
  return ours ?? HTTP_PROTOCOLS.find((protocol) => offered.includes(protocol));
}

/** Which of the offered ALPN protocols to agree on; undefined: none, which ends the handshake with an alert. */
export function chooseProtocol(
  snapshot: Snapshot,
  serverName: string | undefined,
  offered: readonly string[],
  modbusOnly: boolean,
): string | undefined {
  if (offered.includes(DIRECTORY_PROTOCOL)) return DIRECTORY_PROTOCOL;
  for (const protocol of offered) {
    if (
      findTarget(snapshot, { serverName: undefined, protocol, modbusOnly }).kind === "service" &&
      parseLabels(protocol)
    ) {
      return protocol;
    }
  }
  // Browsers and HTTP clients always offer ALPN; towards a machine's own web page the name decides.
  const byName = findTarget(snapshot, { serverName, protocol: null, modbusOnly });
  return byName.kind === "service"
    ? HTTP_PROTOCOLS.find((protocol) => offered.includes(protocol))
    : undefined;
}

function named(snapshot: Snapshot, labels: string, modbusOnly: boolean): Target {
  const [first, second, ...more] = labels.split(".");
  if (first !== undefined && second !== undefined && more.length === 0) {
    const machine = snapshot.machines.find((each) => each.name === second);
    const service = serviceOf(snapshot, second, first);
    if (machine && service && (!modbusOnly || service.protocol !== "tcp"))
      return { kind: "service", machine, service };
  }
  if (first !== undefined && second === undefined && modbusOnly) {
    const found = modbusServices(snapshot.machines.filter((each) => each.name === first));
    if (found.length === 1) return found[0]!;
  }
  return {
    kind: "none",
    named: labels,
    reason: `there is no service ${labels} here${modbusOnly ? " that speaks Modbus" : ""}`,
    advice: "See `niac site show` for the machines and services of this site.",
  };
}

function modbusServices(machines: readonly Machine[]): Array<Target & { kind: "service" }> {
  return machines.flatMap((machine) =>
    machine.services
      .filter((service) => service.protocol !== "tcp")
      .map((service) => ({ kind: "service" as const, machine, service })),
  );
}

function parseLabels(protocol: string): boolean {
  return /^[a-z0-9-]+\.[a-z0-9-]+$/.test(protocol);
}
