/** What a sum of refusals means, for the person who reads the record: who asked for what, why not, and what would allow it. */
import { durationText } from "../base/index.ts";
import type { Destination, Machine, Service } from "../site/index.ts";
import { isSingleHost } from "./packet/address.ts";
import type { PortSet } from "./port-set.ts";
import { MAX_FAR, type RefusalSum } from "./refusal-sum.ts";
import type { Refusal, Surroundings } from "./refusal.ts";
import { counted, list, number, plural } from "./words.ts";

/** Alike refusals: `sample` is the first of them; `many`: a fold of what is too much to tell one by one. */
export interface Refused {
  readonly sample: Refusal;
  readonly many: boolean;
  readonly sum: RefusalSum;
}

/** The audit log's limit for a reason, in characters. */
const MAX_REASON = 1_024;
/** Distinct ports from which on a sum is called a scan. */
const SCAN = 16;
/** Ports shown by number where there are few, and where there are many. */
const FEW = 5;
const OF_MANY = 3;
/** A span too short to mean anything, in milliseconds. */
const MOMENT = 1_000;

export function reasonOf(refused: Refused, around: Surroundings): string {
  return sentence(refused, around).slice(0, MAX_REASON);
}

function sentence(refused: Refused, around: Surroundings): string {
  switch (refused.sample.stage) {
    case "unknown-port":
      return toMachine(refused, around);
    case "destination":
      return fromMachine(refused, around);
    case "spoofed":
      return spoofed(refused);
    case "unknown-station":
      return unknownStation(refused);
    case "link-layer":
      return linkLayer(refused);
  }
}

/** `tcp 22, 80, 443 and 61 more; udp 53; ping`. */
export function whatWords(sum: RefusalSum): string {
  const ports = [
    sum.tcp.size > 0 ? `tcp ${portNumbers(sum.tcp)}` : "",
    sum.udp.size > 0 ? `udp ${portNumbers(sum.udp)}` : "",
  ];
  return [...ports, ...sum.whats].filter((part) => part !== "").join("; ");
}

function toMachine({ sample, many, sum }: Refused, around: Surroundings): string {
  const machine = sample.machine === null ? undefined : around.byName.get(sample.machine);
  const whom =
    sample.machine ?? (around.own.has(sample.target) ? `the appliance at ${sample.target}` : sample.target);
  if (many) {
    const target = sample.machine ?? "what is behind this appliance";
    return `${farCount(sum)} sources sent ${counted(sum.packets, "packet")} to ${target}${inTime(sum)}${tried(sum)}, too many to tell one by one; such addresses are often forged`;
  }
  const { source } = sample;
  if (machine === undefined) {
    const why = around.own.has(sample.target)
      ? "which answers nobody there"
      : "which is no machine behind this appliance";
    return `${source} tried ${thingsOf(sum)} of ${whom}${times(sum)}, ${why}`;
  }
  const reach = `; ${reachable(machine)}${plainHint(machine, sum)}`;
  if (sum.ports >= SCAN) {
    return `${source} tried ${portCounts(sum)} of ${whom}${inTime(sum)}, which looks like a scan${oddWords(sum)}${reach}`;
  }
  if (sum.ports === 0 && sum.whats.size === 1 && sum.whats.has("ping")) {
    return `${source} pinged ${whom}${times(sum)}; the site document does not let ${whom} be pinged (ping: true would)`;
  }
  return `${source} tried ${thingsOf(sum)} of ${whom}${times(sum)}${oddWords(sum)}${reach}`;
}

function reachable(machine: Machine): string {
  const ports = machine.services.flatMap(({ tlsPort }) => (tlsPort === null ? [] : [tlsPort]));
  const sorted = [...new Set(ports)].toSorted((a, b) => a - b).map(String);
  if (sorted.length === 0) return `${machine.name} is not reachable at its own address`;
  return `${machine.name} is reachable with a certificate on ${plural(sorted.length, "port")} ${list(sorted)} only`;
}

/** Who asks for the machine's own port most likely is a client that was not moved over. */
function plainHint({ services }: Machine, sum: RefusalSum): string {
  const isTried = ({ tcp, tlsPort }: Service): boolean =>
    tcp !== null && tcp.port !== tlsPort && sum.ports <= SCAN && [...sum.tcp].includes(tcp.port);
  const service = services.find(isTried);
  if (service?.tcp === undefined || service.tcp === null) return "";
  return `; without one, port ${service.tcp.port} is for the clients that the site document names under unsafeUnauthenticated`;
}

function fromMachine({ sample, many, sum }: Refused, around: Surroundings): string {
  const machine = sample.machine ?? sample.source;
  if (many) {
    const where = sum.far.size === 1 ? [...sum.far].join("") : `${farCount(sum)} addresses`;
    return `${machine} asked ${where} for what no destination of the site document allows: ${counted(sum.packets, "packet")}${inTime(sum)}${tried(sum)}. If nobody is setting it up, have it checked: it may be searching the network`;
  }
  const name = around.byAddress.get(sample.target)?.name;
  const target = name === undefined ? sample.target : `${name} (${sample.target})`;
  return `${machine} may not ${asking(sample, target)}${times(sum)}: ${nearest(sample, around)}`;
}

function asking({ transport, targetPort, what, name }: Refusal, target: string): string {
  if (name !== null) return `ask ${target} for the name ${name}`;
  if (transport !== null) return `reach ${target} port ${targetPort} ${transport}`;
  return what === "ping" ? `ping ${target}` : `send ${what} to ${target}`;
}

/** What of the site document comes nearest, and what to do. */
function nearest({ machine, target, transport, targetPort }: Refusal, { snapshot }: Surroundings): string {
  const there = (snapshot?.destinations ?? []).filter(({ address }) => address === target);
  const own = there.filter(({ machines }) => machine !== null && machines.includes(machine));
  const others = there.filter(
    (destination) => destination.transport === transport && includes(destination, targetPort),
  );
  const [mine] = own;
  if (mine !== undefined) {
    return `destination ${mine.name} allows ${mine.transport} ${portsOf(mine)} there only; extend it, or stop the machine from asking`;
  }
  const [other] = others;
  if (other !== undefined) {
    return `destination ${other.name} allows it for ${list(other.machines.slice(0, 3))} only; name ${machine} there, too, or stop it from asking`;
  }
  return "no destination of the site document allows it; add one, or stop the machine from asking";
}

function includes({ ports }: Destination, port: number): boolean {
  return ports.some(({ start, end }) => start <= port && port <= end);
}

function portsOf({ ports }: Destination): string {
  const shown = ports.slice(0, FEW).map(({ start, end }) => (start === end ? `${start}` : `${start}-${end}`));
  const isOne = ports.length === 1 && ports[0]?.start === ports[0]?.end;
  return `${isOne ? "port" : "ports"} ${list(shown)}${ports.length > FEW ? " and others" : ""}`;
}

function spoofed({ sample, many, sum }: Refused): string {
  const port = sample.on === "uplink" ? "uplink" : "device port";
  const bear = `${counted(sum.packets, "packet")} on the ${port} bore`;
  if (many)
    return `${bear} ${farCount(sum)} source addresses${inTime(sum)} that do not belong there; they went no further`;
  if (!isSingleHost(sample.source))
    return `${bear} the source address ${sample.source}${inTime(sum)}, which no host has`;
  if (sample.machine !== null) {
    return `${bear} the address of ${sample.machine} (${sample.source})${inTime(sum)}, which is behind the device port: somebody pretends to be it, or a cable leads around the appliance; they went no further`;
  }
  return `${bear} the source address ${sample.source}${inTime(sum)}, which is no machine's there; they went no further`;
}

function unknownStation({ sample, many, sum }: Refused): string {
  const who = many ? `${farCount(sum)} stations` : `a station with the MAC address ${sample.source}`;
  const sent = `sent ${counted(sum.packets, "frame")} on the device port${inTime(sum)}${tried(sum)}`;
  const advice = many
    ? "they get nothing. Look at what is plugged in there"
    : "it gets nothing. Run niac discover to see what it is; then name it in the site document, or unplug it";
  return `${who} that the site document does not name ${sent}; ${advice}`;
}

function linkLayer({ sample, many, sum }: Refused): string {
  const sent = many
    ? `${counted(sum.packets, "frame")} of ${farCount(sum)} kinds${tried(sum)}`
    : counted(sum.packets, `${sample.what} frame`);
  return `${sample.machine ?? sample.source} sent ${sent}${inTime(sum)}; nothing crosses the appliance at layer 2`;
}

function thingsOf(sum: RefusalSum): string {
  const ports = [transportWords("tcp", sum.tcp), transportWords("udp", sum.udp)];
  return list([...ports, ...sum.whats].filter((part) => part !== "")) || "something";
}

function transportWords(transport: string, ports: PortSet): string {
  if (ports.size === 0) return "";
  if (ports.size > SCAN) return counted(ports.size, `${transport} port`);
  return `${transport} ${plural(ports.size, "port")} ${list(ports.lowest(SCAN).map(String))}`;
}

function portCounts(sum: RefusalSum): string {
  const counts = [
    sum.tcp.size > 0 ? counted(sum.tcp.size, "tcp port") : "",
    sum.udp.size > 0 ? counted(sum.udp.size, "udp port") : "",
  ];
  return list(counts.filter((part) => part !== ""));
}

function portNumbers(ports: PortSet): string {
  const shown = ports.size <= FEW ? FEW : OF_MANY;
  const numbers = ports.lowest(shown);
  const more = ports.size - numbers.length;
  return more === 0 ? list(numbers.map(String)) : `${numbers.join(", ")} and ${number(more)} more`;
}

/** ` (tcp 22, 80 and 443; ping)`, of a sum of many. */
function tried(sum: RefusalSum): string {
  const what = whatWords(sum);
  return what === "" ? "" : ` (${what})`;
}

/** ` (6 packets in 31 s)`; one packet goes without saying. */
function times(sum: RefusalSum): string {
  return sum.packets === 1 ? "" : ` (${counted(sum.packets, "packet")}${inTime(sum)})`;
}

function inTime({ first, last }: RefusalSum): string {
  const span = last.monotonic - first.monotonic;
  return span < MOMENT ? "" : ` in ${durationText(span)}`;
}

function oddWords({ odd }: RefusalSum): string {
  return odd === 0 ? "" : `, ${counted(odd, "packet")} of it such as only tools for scanning send`;
}

function farCount({ far }: RefusalSum): string {
  return far.size >= MAX_FAR ? `${number(MAX_FAR)} or more` : number(far.size);
}
