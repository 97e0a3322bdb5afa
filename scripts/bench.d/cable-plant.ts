/**
 * Where the box in the cable is measured: network namespaces, of which two are made alike, one with niac between its switches and one
 * with a box that merely forwards.
 *
 *     historian .3  scada .5  attacker .66        press .12  hmi .13
 *         \____________|__________/   box .100        \________/
 *                plant's switch ---- uplink | device ---- machines' switch      10.20.0.0/24
 */
import { Namespaces } from "../../test/support/namespaces.ts";
import type { Cleanup } from "./cleanup.ts";

const NETWORK = "10.20.0";
export const BOX = `${NETWORK}.100`;
const PLANT = { historian: `${NETWORK}.3`, scada: `${NETWORK}.5`, attacker: `${NETWORK}.66` } as const;
const MACHINES = { press: `${NETWORK}.12`, hmi: `${NETWORK}.13` } as const;
export const HOSTS = { ...PLANT, ...MACHINES } as const;
export type Host = keyof typeof HOSTS;
export const PORTS = { uplink: "uplink", device: "device" } as const;

export function makePlant(cleanup: Cleanup): Namespaces {
  const net = new Namespaces("b");
  cleanup.add(() => net.remove());
  for (const name of ["plant", "machines"]) net.addSwitch(name);
  for (const [host, address] of Object.entries(PLANT)) net.plug(host, "eth0", "plant", `${address}/24`);
  for (const [host, address] of Object.entries(MACHINES)) net.plug(host, "eth0", "machines", `${address}/24`);
  net.plug("box", PORTS.uplink, "plant");
  net.plug("box", PORTS.device, "machines");
  // Whoever floods with forged addresses is answered there, and the answers have a way to go.
  net.ip("box", "route", "add", "default", "via", HOSTS.historian, "dev", PORTS.uplink, "onlink");
  return net;
}

/** A box with its two ports and nothing behind them. */
export function makeLoneBox(cleanup: Cleanup): Namespaces {
  const net = new Namespaces("b");
  cleanup.add(() => net.remove());
  net.addSwitch("switch");
  for (const port of Object.values(PORTS)) net.plug("box", port, "switch");
  return net;
}

/** The same way through the box, by the kernel alone: no ruleset, no connection table. */
export function forwardOnly(net: Namespaces): void {
  net.ip("box", "addr", "add", `${BOX}/24`, "dev", PORTS.uplink);
  for (const address of Object.values(MACHINES)) {
    net.ip("box", "route", "add", `${address}/32`, "dev", PORTS.device, "src", BOX);
  }
  const perPort = Object.values(PORTS).flatMap((port) => [
    `net.ipv4.conf.${port}.proxy_arp=1`,
    `net.ipv4.conf.${port}.rp_filter=0`,
    `net.ipv4.neigh.${port}.proxy_delay=0`,
  ]);
  net.run("box", "sysctl", "-qw", ...perPort, "net.ipv4.conf.all.rp_filter=0", "net.ipv4.ip_forward=1");
}
