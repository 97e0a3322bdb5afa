/**
 * The kernel's ruleset from a plan: text for `nft -f`, one transaction. It grows in its sets and never in its rules, so that a
 * packet's way is as short with ten thousand machines' ways as with one.
 *
 *   prerouting (raw)  whose packet, to whom: captured, forwarded, refused or dropped, from the packet alone, at every packet. What
 *                     a new ruleset no longer allows is therefore cut with it, and nothing but forwarded ways and the appliance's
 *                     own connections takes room in the connection table.
 *   forward           what prerouting marked, where the connection table agrees
 *   input, output     the gateway's own ends
 */
import { INNER } from "../base/index.ts";
import type { Plan } from "./plan.ts";
import { setsOf } from "./sets.ts";
import { tablesBeside } from "./tables.ts";

/** Refused packets a second that are looked at one by one; beyond it the kernel answers by itself and counts. */
export const LOOKED_AT = Object.freeze({ perPair: 1_000, all: 2_000 });
/** Connections through the kernel that one machine may have at once. */
export const FORWARDED_AT_ONCE = 2_000;
/** DNS and NTP queries a second that one machine is answered; each takes room in the connection table for a while. */
const QUERIES = "limit rate over 50/second burst 200 packets";
/** Opens no connection: whoever sends this has been asked, or refuses. */
const NO_OPENING = "tcp flags & (syn | ack) != syn";

/** Why packets were dropped without being looked at, in the ruleset's names of counters. */
export const COUNTERS = Object.freeze({
  spoofed: "sent with an address that cannot come from there",
  options: "with IP options, source routes among them",
  stranger: "of a station on the device port that the site document does not know",
  flood: "beyond what is looked at one by one",
  crowded: `of machines with ${FORWARDED_AT_ONCE} connections open`,
  stray: "that belong to no connection",
  ipv6: "of IPv6",
} as const);
export type CounterName = keyof typeof COUNTERS;

const MARK = INNER.marks;
/**
 * The kernel's own refusals. Its other errors only about connections it knows: who forges a sender that nobody is would else have the
 * answer to it come back, as an error, to the machine whose address the answer bears.
 */
const PROHIBITED = "    icmp type destination-unreachable icmp code 13 accept";

export function rulesetOf(plan: Plan): string {
  return `${[
    "# Made by niac from the site document; replaced as a whole by the next one.",
    "table inet niac",
    "delete table inet niac",
    "table inet niac {",
    ...Object.keys(COUNTERS).map((name) => `  counter ${name} { }`),
    ...setsOf(plan),
    ...prerouting(plan),
    ...refusing(plan),
    ...forward(plan),
    ...ends(plan),
    ...translation(plan),
    "}",
    ...tablesBeside(plan),
  ].join("\n")}\n`;
}

function prerouting({ ports, device }: Plan): string[] {
  const { uplink, device: port } = ports;
  const own =
    ports.services.length === 0
      ? []
      : [`    fib daddr . iif type local tcp dport { ${ports.services.join(", ")} } notrack accept`];
  const dhcp = device?.dhcp === true ? ["    ether saddr @macs udp sport 68 udp dport 67 accept"] : [];
  return [
    "  chain prerouting {",
    "    type filter hook prerouting priority raw; policy drop;",
    `    iifname "lo" accept`,
    "    meta nfproto != ipv4 counter name ipv6 drop",
    // A header longer than its least length carries options.
    "    ip hdrlength != 5 counter name options drop",
    `    iifname "${uplink}" goto from_uplink`,
    `    iifname "${port}" goto from_device`,
    `    iifname "${INNER.sinkhole}" notrack accept`,
    "  }",
    "  chain from_uplink {",
    // What is forwarded is by far the most, and comes first: a destination is neither a machine nor the appliance, and whether it
    // was asked the connection table says.
    `    ip daddr . ip saddr . meta l4proto . th sport @forwarded meta mark set ${MARK.tracked} accept`,
    `    ip daddr . ip saddr . meta l4proto . th sport @forwarded_ranges meta mark set ${MARK.tracked} accept`,
    ...(ports.address === null ? ["    udp sport 67 udp dport 68 accept"] : []),
    "    meta pkttype != host drop",
    "    ip saddr @machines counter name spoofed drop",
    `    ip saddr ${INNER.network} counter name spoofed drop`,
    "    fib saddr . iif oif missing counter name spoofed drop",
    "    fib saddr type local counter name spoofed drop",
    // Set by the table of the appliance's own peers.
    `    meta mark ${MARK.tracked} accept`,
    `    ip saddr . meta l4proto . th sport @masked_peers meta mark set ${MARK.tracked} accept`,
    `    icmp type { destination-unreachable, time-exceeded, parameter-problem } meta mark set ${MARK.error} accept`,
    "    ip daddr @machines goto to_machine",
    ...own,
    // To the appliance itself, or by way of it to where it leads nobody.
    "    goto refuse_plant",
    "  }",
    "  chain to_machine {",
    // Before those with a certificate: a tcp service has one port for both, and who has none is told by his address.
    `    ether saddr . ip saddr . ip daddr . tcp dport @unauthenticated notrack tproxy ip to :${INNER.plain} meta mark set ${MARK.captured} accept`,
    `    ip daddr . tcp dport @secured notrack tproxy ip to :${INNER.captured} meta mark set ${MARK.captured} accept`,
    `    ip daddr @pinged icmp type echo-request meta length <= 128 limit rate 20/second meta mark set ${MARK.ping} accept`,
    "    goto refuse_plant",
    "  }",
    "  chain from_device {",
    ...dhcp,
    "    ether saddr . ip saddr @stations goto from_machine",
    `    ip saddr . tcp sport @visited fib daddr type local ${NO_OPENING} notrack accept`,
    "    counter name stranger drop",
    "  }",
    "  chain from_machine {",
    `    ip saddr . ip daddr . meta l4proto . th dport @forwarded meta mark set ${MARK.tracked} accept`,
    `    ip saddr . ip daddr . meta l4proto . th dport @forwarded_ranges meta mark set ${MARK.tracked} accept`,
    // Broadcast and multicast end here; netd's packet socket has seen them.
    "    meta pkttype != host drop",
    `    ip saddr . tcp sport @answered fib daddr type local ${NO_OPENING} notrack accept`,
    `    ip saddr . tcp sport @visited fib daddr type local ${NO_OPENING} notrack accept`,
    `    ip saddr . ip daddr . tcp dport @taken notrack tproxy ip to :${INNER.outbound} meta mark set ${MARK.captured} accept`,
    `    udp dport { 53, 123 } update @asked { ip saddr ${QUERIES} } goto refuse_machine`,
    "    udp dport 53 accept",
    "    ip daddr @time_servers udp dport 123 accept",
    `    ip saddr @pinged icmp type echo-reply meta mark set ${MARK.ping} accept`,
    `    icmp type { destination-unreachable, time-exceeded, parameter-problem } meta mark set ${MARK.error} accept`,
    "    goto refuse_machine",
    "  }",
  ];
}

/** To netd, which records and answers; what is too much for it is answered by the kernel. */
function refusing({ refusal }: Plan): string[] {
  const answered = [
    "  chain answer_flood {",
    "    counter name flood",
    // A forger of addresses must not make the box send resets without end to whom he names.
    "    meta l4proto tcp limit rate 5000/second reject with tcp reset",
    "    limit rate 500/second reject with icmp type admin-prohibited",
    "    drop",
    "  }",
  ];
  const silent = ["  chain drop_flood {", "    counter name flood drop", "  }"];
  return [
    ...answered,
    ...(refusal === "silent" ? silent : []),
    ...lookedAt("refuse_plant", refusal === "silent" ? "drop_flood" : "answer_flood"),
    ...lookedAt("refuse_machine", "answer_flood"),
  ];
}

function lookedAt(name: string, beyond: string): string[] {
  const pair = `limit rate over ${LOOKED_AT.perPair}/second burst ${LOOKED_AT.perPair} packets`;
  return [
    `  chain ${name} {`,
    "    notrack",
    `    update @refused_often { ip saddr . ip daddr ${pair} } goto ${beyond}`,
    `    limit rate over ${LOOKED_AT.all}/second burst ${LOOKED_AT.all} packets goto ${beyond}`,
    `    meta mark set ${MARK.refused} accept`,
    "  }",
  ];
}

function forward({ ports }: Plan): string[] {
  return [
    "  chain forward {",
    "    type filter hook forward priority filter; policy drop;",
    `    meta mark ${MARK.tracked} ct state established,related accept`,
    `    meta mark ${MARK.tracked} ct direction original ct state new goto open_forward`,
    `    meta mark ${MARK.refused} oifname "${INNER.sinkhole}" accept`,
    `    iifname "${INNER.sinkhole}" ct state untracked accept`,
    `    meta mark ${MARK.ping} ct state established accept`,
    `    meta mark ${MARK.ping} icmp type echo-request accept`,
    `    meta mark ${MARK.error} ct state related accept`,
    "    counter name stray drop",
    "  }",
    "  chain open_forward {",
    // Only a machine begins a connection, and a machine is known by its port: what the uplink brings as new was no reply, whatever
    // address it bears.
    `    iifname != "${ports.device}" counter name stray drop`,
    `    add @opened { ip saddr ct count over ${FORWARDED_AT_ONCE} } counter name crowded reject with icmp type admin-prohibited`,
    "    accept",
    "  }",
  ];
}

function ends({ ports, device }: Plan): string[] {
  const { uplink, device: port, services } = ports;
  const list = services.join(", ");
  const dhcpServer = device?.dhcp === true;
  return [
    "  chain input {",
    "    type filter hook input priority filter; policy drop;",
    `    iifname "lo" accept`,
    `    meta mark ${MARK.captured} accept`,
    `    meta mark ${MARK.tracked} ct state established accept`,
    `    meta mark ${MARK.error} ct state related accept`,
    ...(services.length === 0
      ? []
      : [`    iifname "${uplink}" ct state untracked tcp dport { ${list} } accept`]),
    ...(ports.address === null ? [`    iifname "${uplink}" udp sport 67 udp dport 68 accept`] : []),
    `    iifname "${port}" ct state untracked meta l4proto tcp accept`,
    `    iifname "${port}" ip daddr ${INNER.address} udp dport { ${INNER.ntp}, ${INNER.dns} } accept`,
    ...(dhcpServer ? [`    iifname "${port}" udp sport 68 udp dport 67 accept`] : []),
    "    counter name stray drop",
    "  }",
    "  chain output_raw {",
    "    type filter hook output priority raw; policy accept;",
    // Answers on captured connections bear the captured address; they and what goes to machines need no connection table. What
    // opens a connection towards the plant is never among them: it must be to a destination, whatever the gateway has become.
    `    oifname "${uplink}" ip saddr @machines ${NO_OPENING} notrack`,
    ...(services.length === 0 ? [] : [`    oifname "${uplink}" tcp sport { ${list} } ${NO_OPENING} notrack`]),
    `    oifname "${port}" meta l4proto tcp notrack`,
    "  }",
    "  chain output {",
    "    type filter hook output priority filter; policy drop;",
    `    oifname "lo" accept`,
    `    oifname "${uplink}" goto to_uplink`,
    `    oifname "${port}" goto to_device`,
    "  }",
    "  chain to_uplink {",
    `    ct state untracked ${NO_OPENING} accept`,
    PROHIBITED,
    "    tcp flags & rst == rst accept",
    ...(ports.address === null ? ["    udp sport 68 udp dport 67 accept"] : []),
    "    ct state established,related accept",
    "    ip daddr . tcp dport @outward accept",
    "    tcp dport @outward_named accept",
    "    ip daddr @name_servers meta l4proto { tcp, udp } th dport 53 accept",
    "    ip daddr @time_servers udp dport 123 accept",
    "    counter name stray drop",
    "  }",
    "  chain to_device {",
    "    ip daddr . tcp dport @visited accept",
    "    ip daddr . tcp dport @answered accept",
    `    ip daddr @machines ${NO_OPENING} accept`,
    "    ct state established,related accept",
    PROHIBITED,
    ...(dhcpServer ? ["    udp sport 67 udp dport 68 accept"] : []),
    "    counter name stray drop",
    "  }",
  ];
}

function translation({ ports }: Plan): string[] {
  return [
    "  chain translate_in {",
    "    type nat hook prerouting priority dstnat; policy accept;",
    `    iifname "${ports.device}" udp dport 53 dnat ip to ${INNER.address}:${INNER.dns}`,
    `    iifname "${ports.device}" udp dport 123 dnat ip to ${INNER.address}:${INNER.ntp}`,
    "  }",
    "  chain translate_out {",
    "    type nat hook postrouting priority srcnat; policy accept;",
    `    oifname "${ports.uplink}" snat ip to ip saddr map @stood_for`,
    `    oifname "${ports.uplink}" ip saddr . ip daddr . meta l4proto . th dport @masked masquerade`,
    "  }",
    // After translation: what should have been translated and was not goes nowhere.
    "  chain leaving {",
    "    type filter hook postrouting priority srcnat + 10; policy accept;",
    `    oifname "${ports.uplink}" ip saddr ${INNER.network} counter name stray drop`,
    `    oifname "${ports.device}" ip saddr ${INNER.hidden} counter name stray drop`,
    "  }",
  ];
}
