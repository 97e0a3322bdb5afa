/** What dnsmasq is told where machines get their addresses by DHCP: reservations and nothing else, on the device port and nowhere else. Pure. */
import type { Plan } from "./plan.ts";

const LEASE = "12h";

/** Null where the plan has no DHCP. */
export function dhcpArguments(plan: Plan): string[] | null {
  const { device, stations, ports, timeServers } = plan;
  if (device === null || !device.dhcp || stations.length === 0) return null;
  return [
    "--keep-in-foreground",
    "--conf-file=/dev/null",
    "--log-facility=-",
    // No DNS of its own: that is answered by the gateway, from the site document.
    "--port=0",
    "--bind-dynamic",
    `--interface=${ports.device}`,
    "--except-interface=lo",
    "--dhcp-authoritative",
    "--leasefile-ro",
    `--dhcp-range=${device.address},static,${LEASE}`,
    `--dhcp-option=option:router,${device.address}`,
    `--dhcp-option=option:dns-server,${device.address}`,
    ...(timeServers.length === 0 ? [] : [`--dhcp-option=option:ntp-server,${timeServers.join(",")}`]),
    ...stations.map(({ mac, address, name }) => `--dhcp-host=${mac},${address},${name},${LEASE}`),
  ];
}
