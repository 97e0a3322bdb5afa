/** The tables of the ruleset beside the one of IPv4: whom the appliance itself talks to, and ARP. Pure. */
import { INNER } from "../base/index.ts";
import { concatenated, declare } from "./elements.ts";
import type { Plan } from "./plan.ts";

export function tablesBeside(plan: Plan): string[] {
  return [...peers(plan), ...arp(plan)];
}

/**
 * Whom the appliance itself talks to on the plant's side: what comes from there is asked of the connection table. A table of its own,
 * since it outlives rulesets: an answer under way when one takes the place of another must not be refused, and so reset, by the new.
 */
function peers({ ports }: Plan): string[] {
  const peer = "meta l4proto . th";
  return [
    "table inet niac_peers",
    // Its rules; the set keeps what it holds.
    "flush table inet niac_peers",
    "table inet niac_peers {",
    "  set peers {",
    "    type ipv4_addr . inet_proto . inet_service; flags dynamic,timeout; timeout 1h; size 16384;",
    "  }",
    "  chain prerouting {",
    "    type filter hook prerouting priority raw - 10; policy accept;",
    `    iifname "${ports.uplink}" ip saddr . ${peer} sport @peers meta mark set ${INNER.marks.tracked}`,
    "  }",
    // After the table that refuses: what it dropped does not come here.
    "  chain output {",
    "    type filter hook output priority filter + 10; policy accept;",
    `    oifname "${ports.uplink}" meta l4proto { tcp, udp } ct state { new, established } update @peers { ip daddr . ${peer} dport }`,
    "  }",
    "}",
  ];
}

/** Layer 2 hears ARP alone: from the plant about anything but machines' addresses, from machines as they are known. */
function arp({ ports, stations, device }: Plan): string[] {
  const own = device === null ? [] : [device.address];
  const addresses = stations.map(({ address }) => address);
  return [
    "table arp niac",
    "delete table arp niac",
    "table arp niac {",
    declare("set", "machines", "ipv4_addr", [...addresses, ...own]),
    declare(
      "set",
      "stations",
      "ether_addr . ipv4_addr",
      stations.map(({ mac, address }) => concatenated(mac, address)),
    ),
    "  set visited {\n    type ether_addr . ipv4_addr; flags timeout; size 64;\n  }",
    "  chain input {",
    "    type filter hook input priority filter; policy drop;",
    // The kernel answers for an address only where it has a route there, and without a mark there is none.
    `    iifname "${ports.uplink}" arp saddr ip != @machines meta mark set ${INNER.marks.tracked} accept`,
    `    iifname "${ports.device}" arp saddr ether . arp saddr ip @stations meta mark set ${INNER.marks.tracked} accept`,
    `    iifname "${ports.device}" arp saddr ether . arp saddr ip @visited meta mark set ${INNER.marks.tracked} accept`,
    "  }",
    "}",
  ];
}
