/** The kernel as netd finds and changes it. Everything here needs CAP_NET_ADMIN; what is decided is decided in plan, ruleset and layout. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import * as z from "zod";
import { messageOf, systemCode, UnavailableError } from "../base/index.ts";
import {
  commandsOf,
  removalsOf,
  ROUTE_PROTOCOL,
  sinkholeCommands,
  sinkholeSwitches,
  switchesOf,
  type Existing,
} from "./layout.ts";
import type { Plan, Ports } from "./plan.ts";
import { rulesetOf } from "./ruleset.ts";
import { run } from "./tools.ts";

/** Whether the kernel would take it. Rejects with its complaint. */
export async function checkRuleset(plan: Plan): Promise<void> {
  await run("nft", ["-c", "-f", "-"], rulesetOf(plan));
}

/** In force whole, or not at all and the rules of before stay. Rejects with what the kernel said. */
export async function applyRuleset(plan: Plan): Promise<void> {
  await run("nft", ["-f", "-"], rulesetOf(plan));
}

/** A ruleset of a netd that was here before is in force: the image's own knows of no peers. */
export async function hasRuleset(): Promise<boolean> {
  return (await run("nft", ["list", "tables"])).split("\n").includes("table inet niac_peers");
}

/** Ways that the ruleset in force permits: after it, so that at no moment one is open without its rule. */
export async function applyLayout(plan: Plan): Promise<void> {
  for (const [path, value] of switchesOf(plan)) setSwitch(path, value);
  const removals = removalsOf(plan, await readExisting(plan.ports));
  if (removals.length > 0) await batch(removals);
  await batch(commandsOf(plan, await readExisting(plan.ports)));
}

/** The TUN interface has just been opened: up, and the way of everything refused. */
export async function openSinkhole(): Promise<void> {
  for (const [path, value] of sinkholeSwitches()) setSwitch(path, value);
  await batch(sinkholeCommands());
}

export type PortState = "up" | "down" | "missing";

export function portState(name: string): PortState {
  const folder = `/sys/class/net/${name}`;
  if (!existsSync(folder)) return "missing";
  return readFileSync(`${folder}/operstate`, "utf8").trim() === "up" ? "up" : "down";
}

export function macOf(name: string): string | null {
  try {
    return readFileSync(`/sys/class/net/${name}/address`, "utf8").trim();
  } catch {
    return null;
  }
}

const addressesSchema = z.array(
  z.looseObject({ addr_info: z.array(z.looseObject({ local: z.string(), prefixlen: z.number() })) }),
);

/** IPv4 addresses with prefix, `10.0.0.1/24`; none where there is no such interface. */
export async function addressesOf(name: string): Promise<string[]> {
  const found = addressesSchema.parse(await ask(["-4", "addr", "show", "dev", name]));
  return found.flatMap(({ addr_info }) => addr_info.map(({ local, prefixlen }) => `${local}/${prefixlen}`));
}

const routesSchema = z.array(z.looseObject({ dst: z.string(), prefsrc: z.string().optional() }));
const neighboursSchema = z.array(z.looseObject({ dst: z.string(), lladdr: z.string().optional() }));
const rulesSchema = z.array(z.looseObject({ priority: z.number() }));

async function readExisting({ uplink, device }: Ports): Promise<Existing> {
  const [routes, neighbours, proxied, rules, inner, uplinkAddresses, deviceAddresses] = await Promise.all([
    ask(["-4", "route", "show", "dev", device, "proto", String(ROUTE_PROTOCOL)]),
    ask(["-4", "neigh", "show", "dev", device, "nud", "permanent"]),
    ask(["-4", "neigh", "show", "proxy", "dev", uplink]),
    ask(["-4", "rule", "show"]),
    addressesOf("lo"),
    addressesOf(uplink),
    addressesOf(device),
  ]);
  return {
    routes: routesSchema.parse(routes).map(({ dst, prefsrc }) => ({ address: dst, source: prefsrc ?? null })),
    neighbours: neighboursSchema
      .parse(neighbours)
      .map(({ dst, lladdr }) => ({ address: dst, mac: lladdr ?? "" })),
    proxied: neighboursSchema.parse(proxied).map(({ dst }) => dst),
    rules: rulesSchema.parse(rules).map(({ priority }) => priority),
    inner: inner.map((one) => one.split("/")[0] ?? "").filter((one) => /^198\.1[89]\./.test(one)),
    uplinkAddresses,
    deviceAddresses,
  };
}

async function ask(args: readonly string[]): Promise<unknown> {
  const text = await run("ip", ["-j", ...args]);
  return text.trim() === "" ? [] : JSON.parse(text);
}

async function batch(lines: readonly string[]): Promise<void> {
  await run("ip", ["-batch", "-"], `${lines.join("\n")}\n`);
}

function setSwitch(path: string, value: string): void {
  const file = `/proc/sys/net/${path}`;
  // A kernel without IPv6 has nothing to switch off.
  if (path.startsWith("ipv6/") && !existsSync(file)) return;
  try {
    writeFileSync(file, value);
  } catch (error) {
    throw new UnavailableError(
      "kernel-switch",
      `the kernel's switch ${file} cannot be set to ${value} (${systemCode(error) || messageOf(error)})`,
    );
  }
}

/** A station on the device port that the gateway may ask what it is. */
export interface Visit {
  readonly address: string;
  readonly mac: string;
  readonly ports: readonly number[];
}

/** Opens the way there and back for so many seconds; `known`: it is a machine of the site, and has its way already. */
export async function openVisit(
  device: string,
  { address, mac, ports }: Visit,
  {
    known,
    from,
    seconds,
  }: { readonly known: boolean; readonly from: string | null; readonly seconds: number },
): Promise<void> {
  const elements = ports.map((port) => `${address} . ${port} timeout ${seconds}s`).join(", ");
  const lines = [
    `add element inet niac visited { ${elements} }`,
    ...(known ? [] : [`add element arp niac visited { ${mac} . ${address} timeout ${seconds}s }`]),
  ];
  await run("nft", ["-f", "-"], `${lines.join("\n")}\n`);
  if (known) return;
  const source = from === null ? "" : ` src ${from}`;
  await batch([
    `route replace ${address}/32 dev ${device}${source} proto ${ROUTE_PROTOCOL}`,
    `neigh replace ${address} lladdr ${mac} dev ${device} nud permanent`,
  ]);
}

/** Takes the way back; that it is gone already is no error. */
export async function closeVisit(device: string, address: string): Promise<void> {
  const lines = [
    `route del ${address}/32 dev ${device} proto ${ROUTE_PROTOCOL}`,
    `neigh del ${address} dev ${device}`,
  ];
  for (const line of lines) await batch([line]).catch(() => undefined);
}
