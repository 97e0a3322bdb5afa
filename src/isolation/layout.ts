/**
 * Addresses, routes, neighbours and switches of the kernel that a plan needs beside its ruleset: what should be there, and the
 * commands that lead there from what is. Pure.
 *
 * The kernel itself answers ARP: on the uplink for each machine (a proxy entry each), on the device port for everything that lies
 * beyond the uplink (proxy_arp). It goes on doing so with netd dead. A machine's own MAC address is pinned, so that no ARP from the
 * device port moves it.
 */
import { INNER } from "../base/index.ts";
import type { Plan } from "./plan.ts";

/** Routes of niac's own bear this protocol number (rtnetlink: from 4 on free for routing daemons), so that those of others are left alone. */
export const ROUTE_PROTOCOL = 213;

/** What the kernel holds of niac's making. */
export interface Existing {
  /** Machines' addresses with a route through the device port, and the appliance's own address they are reached from. */
  readonly routes: readonly { readonly address: string; readonly source: string | null }[];
  /** Pinned neighbours on the device port. */
  readonly neighbours: readonly { readonly address: string; readonly mac: string }[];
  /** Addresses the uplink answers ARP for. */
  readonly proxied: readonly string[];
  /** Inner addresses on the loopback interface. */
  readonly inner: readonly string[];
  /** The ports' own IPv4 addresses, with prefix. */
  readonly uplinkAddresses: readonly string[];
  readonly deviceAddresses: readonly string[];
  /** Preferences of the routing rules. */
  readonly rules: readonly number[];
}

/** Preferences of routing rules: what is marked goes its way before the table of the appliance's own addresses is asked. */
const RULES = Object.freeze({ refused: 10, captured: 11, own: 20, fromUplink: 21, fromDevice: 22 });

/** Lines for `ip -batch`: what there should be and is not, once what should not be is gone. */
export function commandsOf(plan: Plan, existing: Existing): string[] {
  return [...portCommands(plan, existing), ...additions(plan, existing), ...ruleCommands(plan, existing)];
}

/** Must succeed one by one, before the sinkhole is in use. */
export function sinkholeCommands(): string[] {
  const { sinkhole, tables } = INNER;
  return [
    // Room for the bursts that the ruleset lets through.
    `link set ${sinkhole} up txqueuelen 4096`,
    `route replace default dev ${sinkhole} table ${tables.refused}`,
    `route replace blackhole default table ${tables.refused} metric 4096`,
  ];
}

/** Those that are there whatever the kernel holds change nothing where it is as it should be, and are told to nobody who watches it. */
function portCommands({ ports, device: behind }: Plan, existing: Existing): string[] {
  const { uplink, device, address, gateway } = ports;
  return [
    "link set lo up",
    ...(existing.inner.includes(INNER.address) ? [] : [`addr replace ${INNER.address}/32 dev lo`]),
    `link set ${uplink} up`,
    `link set ${device} up`,
    ...given(existing.uplinkAddresses, address, uplink),
    ...given(existing.deviceAddresses, behind, device),
    ...(gateway === null
      ? []
      : [`route replace default via ${gateway} dev ${uplink} proto ${ROUTE_PROTOCOL}`]),
    `route replace local 0.0.0.0/0 dev lo table ${INNER.tables.captured}`,
    // Where netd is dead and its interface gone, what is refused ends here.
    `route replace blackhole default table ${INNER.tables.refused} metric 4096`,
  ];
}

function given(existing: readonly string[], own: PortAddress | null, port: string): string[] {
  if (own === null) return [];
  const wanted = `${own.address}/${own.prefix}`;
  return existing.includes(wanted) ? [] : [`addr replace ${wanted} dev ${port}`];
}

/**
 * Lines for `ip -batch`: what is there and should not be. They come first, and what there is must then be read anew: with a port's last
 * address the kernel takes away its routes, neighbours and proxy entries too. Inner addresses stay: a connection from one may live on,
 * and nobody outside can reach one.
 */
export function removalsOf(plan: Plan, existing: Existing): string[] {
  const { uplink, device, address: own } = plan.ports;
  const wanted = new Set(plan.stations.map(({ address }) => address));
  return [
    ...existing.proxied
      .filter((one) => !wanted.has(one) || plan.mode !== "inline")
      .map((one) => `neigh del proxy ${one} dev ${uplink}`),
    ...existing.routes
      .filter((one) => !wanted.has(one.address))
      .map((one) => `route del ${one.address}/32 dev ${device} proto ${ROUTE_PROTOCOL}`),
    ...existing.neighbours
      .filter(({ address }) => !wanted.has(address))
      .map(({ address }) => `neigh del ${address} dev ${device}`),
    ...(own === null ? [] : strays(existing.uplinkAddresses, own, uplink)),
    ...strays(existing.deviceAddresses, plan.device, device),
  ];
}

interface PortAddress {
  readonly address: string;
  readonly prefix: number;
}

function strays(existing: readonly string[], own: PortAddress | null, port: string): string[] {
  const wanted = own === null ? null : `${own.address}/${own.prefix}`;
  // The last first: with the first of a subnet the kernel takes away the others of it.
  return existing
    .filter((one) => one !== wanted)
    .toReversed()
    .map((one) => `addr del ${one} dev ${port}`);
}

function additions(plan: Plan, existing: Existing): string[] {
  const { uplink, device, address } = plan.ports;
  const pinned = new Map(existing.neighbours.map((one) => [one.address, one.mac]));
  const routed = new Map(existing.routes.map((one) => [one.address, one.source]));
  const proxied = new Set(existing.proxied);
  const inner = new Set(existing.inner);
  const leased = existing.uplinkAddresses[0]?.split("/")[0];
  const from = plan.device?.address ?? address?.address ?? leased ?? null;
  const source = from === null ? "" : ` src ${from}`;
  return plan.stations.flatMap((station) => [
    ...(routed.get(station.address) === from
      ? []
      : [`route replace ${station.address}/32 dev ${device}${source} proto ${ROUTE_PROTOCOL}`]),
    ...(pinned.get(station.address) === station.mac
      ? []
      : [`neigh replace ${station.address} lladdr ${station.mac} dev ${device} nud permanent`]),
    ...(proxied.has(station.address) || plan.mode !== "inline"
      ? []
      : [`neigh add proxy ${station.address} dev ${uplink}`]),
    ...(inner.has(station.standIn) ? [] : [`addr replace ${station.standIn}/32 dev lo`]),
  ]);
}

/** The kernel's own rule for local addresses comes first by default; it moves behind niac's, and is there at every moment. */
function ruleCommands({ ports }: Plan, { rules }: Existing): string[] {
  const has = new Set(rules);
  const unmarked = (preference: number, port: string): string[] =>
    has.has(preference) ? [] : [`rule add pref ${preference} iif ${port} fwmark 0/0xffffffff blackhole`];
  const { marks, tables } = INNER;
  return [
    ...(has.has(RULES.refused)
      ? []
      : [`rule add pref ${RULES.refused} fwmark ${marks.refused} lookup ${tables.refused}`]),
    ...(has.has(RULES.captured)
      ? []
      : [`rule add pref ${RULES.captured} fwmark ${marks.captured} lookup ${tables.captured}`]),
    ...(has.has(RULES.own) ? [] : [`rule add pref ${RULES.own} lookup local`]),
    // A second door behind the ruleset: what it has not marked is routed nowhere, also when somebody has flushed it.
    ...unmarked(RULES.fromUplink, ports.uplink),
    ...unmarked(RULES.fromDevice, ports.device),
    ...(has.has(0) ? ["rule del pref 0 lookup local"] : []),
  ];
}

/** Kernel switches by their path below /proc/sys/net. */
export function switchesOf(plan: Plan): readonly (readonly [path: string, value: string])[] {
  const { uplink, device } = plan.ports;
  const open = plan.mode === "closed" ? "0" : "1";
  const both = (name: string, value: string): [string, string][] =>
    ["all", uplink, device].map((port) => [`ipv4/conf/${port}/${name}`, value]);
  return [
    // The ruleset judges sources, machine by machine; the kernel's own check knows only interfaces.
    ...both("rp_filter", "0"),
    ...both("accept_source_route", "0"),
    ...both("accept_redirects", "0"),
    ...both("send_redirects", "0"),
    // A claim to an address must be asked for; one address is announced from the port it belongs to.
    ...both("arp_accept", "0"),
    [`ipv4/conf/${uplink}/arp_ignore`, "1"],
    [`ipv4/conf/${uplink}/arp_announce`, "2"],
    [`ipv4/conf/${device}/arp_announce`, "2"],
    [`ipv4/conf/${uplink}/proxy_arp`, "0"],
    [`ipv4/conf/${device}/proxy_arp`, plan.mode === "inline" ? "1" : "0"],
    [`ipv4/neigh/${uplink}/proxy_delay`, "0"],
    [`ipv4/neigh/${device}/proxy_delay`, "0"],
    [`ipv6/conf/${uplink}/disable_ipv6`, "1"],
    [`ipv6/conf/${device}/disable_ipv6`, "1"],
    ["netfilter/nf_conntrack_acct", "1"],
    // A machine that opens a connection a second leaves half a minute of them behind, not two.
    ["netfilter/nf_conntrack_tcp_timeout_time_wait", "30"],
    // That a packet is too big for the plant's network is told to the machine's address, and so to nobody: a captured connection
    // finds out by itself (RFC 4821).
    ["ipv4/tcp_mtu_probing", "1"],
    // The gateway listens on port 802 without a privilege; nobody else has an account on the box.
    ["ipv4/ip_unprivileged_port_start", "802"],
    ["ipv4/ip_forward", open],
    [`ipv4/conf/${uplink}/forwarding`, open],
    [`ipv4/conf/${device}/forwarding`, open],
  ];
}

/** Of the sinkhole's own interface, once netd has opened it: answers leave it with any source address. */
export function sinkholeSwitches(): readonly (readonly [path: string, value: string])[] {
  const conf = `ipv4/conf/${INNER.sinkhole}`;
  return [
    [`${conf}/rp_filter`, "0"],
    [`${conf}/accept_local`, "1"],
    [`${conf}/forwarding`, "1"],
    [`ipv6/conf/${INNER.sinkhole}/disable_ipv6`, "1"],
  ];
}
