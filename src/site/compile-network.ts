/** The network section, from the document to the snapshot; and what in it contradicts the machines. */
import type { Reporter } from "./findings.ts";
import { contains, FIRST_STAND_IN, ipv4Number, ipv4Text, MAX_STAND_INS, subnetOf } from "./ipv4.ts";
import { valueAt } from "./references.ts";
import { networkSchema } from "./schema-network.ts";
import type { Machine, Network } from "./snapshot.ts";

/** How the appliance stands in the cable, as far as it can be told. */
export interface Cable {
  /** The document has the section, right or wrong: what a site without one need not say is then asked for. */
  readonly present: boolean;
  /** Null: there is none, or it is wrong and has been reported. */
  readonly network: Network | null;
}

export function compileNetwork(root: unknown): Cable {
  const given = valueAt(root, ["network"]);
  const parsed = networkSchema.safeParse(given).data;
  if (parsed === undefined) return { present: given !== undefined, network: null };
  const { mode, refusal, device, nameServers, timeServers } = parsed;
  const network: Network = {
    mode,
    refusal,
    device: device === undefined ? null : { ...device.address, dhcp: device.dhcp },
    nameServers: [...new Set(nameServers)],
    timeServers: [...new Set(timeServers)],
  };
  return { present: true, network };
}

/** Why a station on the device port cannot have this address; null: it can. */
function misplacedOnDevicePort(address: string, network: Network | null): string | null {
  const device = network?.device ?? null;
  if (device === null) return null;
  const subnet = subnetOf(device.address, device.prefix);
  const value = ipv4Number(address);
  const named = `${ipv4Text(subnet.start)}/${device.prefix}`;
  if (address === device.address) return "is the appliance's own address on the device port";
  if (value === subnet.start) return `names the subnet ${named} itself`;
  if (value === subnet.end) return `is the broadcast address of ${named}`;
  return contains(subnet, address) ? null : `is outside the device port's subnet ${named}`;
}

/** Addresses and MAC addresses of machines: each one's own, and where the network section has room for them. */
export function checkAddresses(machines: readonly Machine[], cable: Cable, reporter: Reporter): void {
  const seen = new Map<string, string>();
  for (const { name, address, mac, ping } of machines) {
    const path = ["machines", name];
    for (const [key, value] of [
      ["address", address],
      ["mac", mac],
    ] as const) {
      if (value === null) continue;
      const first = seen.get(value);
      if (first === undefined) seen.set(value, name);
      else {
        const line = reporter.line(["machines", first, key]);
        reporter.error([...path, key], `${value} is taken by ${first} on line ${line}`, {
          expected: `the ${key === "mac" ? "MAC address" : "address"} of this machine alone`,
        });
      }
    }
    if (ping && !cable.present) {
      reporter.warn([...path, "ping"], "ping says nothing here: the site has no `network`", { spot: "key" });
    }
    if (address === null || !cable.present) continue;
    if (mac === null) {
      reporter.error(
        [...path, "address"],
        `${name} has an address and no mac: the appliance knows a machine by both`,
        {
          expected: "mac: its MAC address; `niac discover` shows it",
        },
      );
    }
    const wrong = misplacedOnDevicePort(address, cable.network);
    if (wrong !== null) {
      const { address: own = "", prefix = 0 } = cable.network?.device ?? {};
      reporter.error([...path, "address"], `${address} ${wrong}`, {
        expected: `another address of the subnet of ${own}/${prefix}`,
      });
    }
  }
}

/**
 * The machines with their inner addresses. Each follows from the machine's own address, whatever other machines there are, so that
 * adding one cuts no connection of another; where two would fall together, the later by name takes the next that is free.
 */
export function withStandIns(machines: readonly Machine[], reporter: Reporter): readonly Machine[] {
  const taken = new Set<number>();
  return machines.map((machine) => {
    const { address } = machine;
    if (address === null) return machine;
    if (taken.size === MAX_STAND_INS) {
      reporter.error(
        ["machines", machine.name, "address"],
        `more than ${MAX_STAND_INS} machines have an address of their own`,
        { expected: "machines behind several appliances" },
      );
      return machine;
    }
    let place = ipv4Number(address) % MAX_STAND_INS;
    while (taken.has(place)) place = (place + 1) % MAX_STAND_INS;
    taken.add(place);
    return { ...machine, standIn: ipv4Text(FIRST_STAND_IN + place) };
  });
}
