/** nmap from a host of the plant, as whoever looks for a way in. */
import type { Plant } from "../plant.ts";

/** Enrolment, MODBUS/TCP Security, every service: what the plant finds open at the box's own address. */
export const OWN_PORTS: readonly number[] = [443, 802, 8443];

/** TCP ports of an address that accept a connection, in order. `ports`: nmap's -p. */
export async function openPorts(
  plant: Plant,
  host: string,
  address: string,
  ports: string,
): Promise<number[]> {
  const words = [
    "-n",
    "-Pn",
    "-sS",
    "-p",
    ports,
    "--max-retries",
    "2",
    "--min-rate",
    "1500",
    "-oG",
    "-",
    address,
  ];
  const { code, out, err } = await plant.result(host, "nmap", words, 15 * 60_000);
  if (code !== 0) throw new Error(`nmap ended with ${code}: ${err}${out}`);
  return [...out.matchAll(/(\d+)\/open\/tcp/g)].map(([, port]) => Number(port)).toSorted((a, b) => a - b);
}
