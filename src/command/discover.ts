import { Command } from "commander";
import { durationText, printable, table } from "../base/index.ts";
import {
  discoverIdentify,
  discoverStations,
  type IdentificationView,
  type Neighbour,
} from "../link/index.ts";
import { withControl, type Surroundings } from "./context.ts";
import { macVendors } from "./vendor.ts";

/** A station on the device port, with what is known and what it says of itself; `identification` null: it was not asked. */
export interface Discovered {
  readonly station: Neighbour;
  readonly vendor: string;
  readonly identification: IdentificationView | null;
}

/** `niac discover`: what is on the device port, and what to write into the site document. */
export function discoverCommand(around: Surroundings): Command {
  return new Command("discover")
    .description("what stands on the device port, and the piece of site document for it")
    .argument(
      "[network]",
      "addresses to search by ARP, e.g. 10.20.0.0/24; the appliance's own where it is not larger than a /22",
    )
    .option("--listen", "only what was heard by itself: no address is searched, no station asked")
    .option("--all", "ask the machines of the site document too, not only what is new")
    .action((network: string | undefined, options: { listen?: boolean; all?: boolean }) =>
      withControl(around, async (channel) => {
        const listen = options.listen ?? false;
        const heard = await channel.call(discoverStations, { ask: null });
        const ask = listen ? null : (network ?? small(heard.network));
        if (ask !== null) around.complain(`Searching ${ask} on the device port ...`);
        const { stations } = ask === null ? heard : await channel.call(discoverStations, { ask });
        const vendors = await macVendors(stations.map(({ mac }) => mac));
        const found: Discovered[] = [];
        for (const station of stations) {
          const [address] = station.addresses;
          const asked = !listen && address !== undefined && (options.all || station.machine === null);
          if (asked) around.complain(`Asking ${address} what it is; up to a minute ...`);
          const identification = asked
            ? await channel.call(discoverIdentify, { address, mac: station.mac, by: around.user })
            : null;
          found.push({ station, vendor: vendors.get(station.mac) ?? "", identification });
        }
        for (const line of discoveredLines(found, Date.now())) around.print(line);
      }),
    );
}

/** The network, where searching all of it is gentle. */
function small(network: string | null): string | null {
  return network !== null && Number(network.split("/")[1]) >= 22 ? network : null;
}

/** `now`: milliseconds since the epoch. */
export function discoveredLines(found: readonly Discovered[], now: number): string[] {
  if (found.length === 0) return ["Nothing was heard on the device port."];
  const rows = found.map(({ station, vendor, identification }) => [
    station.addresses.join(", ") || "none",
    station.mac,
    vendor,
    station.machine ?? "unknown: gets nothing",
    identification === null ? `sends ${station.seen.join(", ")}` : words(identification),
    `${durationText(now - station.last)} ago`,
  ]);
  const lines = table(["ADDRESS", "MAC", "VENDOR", "MACHINE", "WHAT IT IS", "HEARD"], rows);
  const fresh = found.filter(({ station }) => station.machine === null && station.addresses.length > 0);
  if (fresh.length === 0) return lines;
  return [
    ...lines,
    "",
    "# For the site document; what a station says of itself is not proven.",
    "machines:",
    ...fresh.flatMap(piece),
  ];
}

function words({ modbus, opcua, openPorts, problems }: IdentificationView): string {
  const parts = [
    ...(modbus === null ? [] : [`Modbus ${Object.values(modbus.objects).slice(0, 3).join(" ")}`.trim()]),
    ...(opcua?.[0] === undefined ? [] : [`OPC UA ${opcua[0].applicationName}`]),
    openPorts.length === 0 ? "no port open" : `ports ${openPorts.join(", ")}`,
    ...problems,
  ];
  return parts.join("; ");
}

/** Names of what usually listens there. */
const USUAL: Readonly<Record<number, string>> = {
  80: "http",
  443: "https",
  22: "ssh",
  102: "s7",
  4840: "opcua",
  44818: "ethernet-ip",
  5900: "vnc",
  20000: "dnp3",
  2404: "iec104",
};

function piece({ station, vendor, identification }: Discovered): string[] {
  const [address = ""] = station.addresses;
  const services = (identification?.openPorts ?? []).map((port) =>
    port === 502
      ? "modbus: { protocol: modbus-tcp }"
      : `${USUAL[port] ?? `tcp-${port}`}: { protocol: tcp, port: ${port} }`,
  );
  const said = identification === null ? "" : `, ${words(identification)}`;
  return [
    `  machine-${address.replaceAll(".", "-")}: # ${printable(`${vendor}${said}`)}`,
    `    address: ${address}`,
    `    mac: "${station.mac}"`,
    ...(services.length === 0 ? [] : ["    services:", ...services.map((service) => `      ${service}`)]),
  ];
}
