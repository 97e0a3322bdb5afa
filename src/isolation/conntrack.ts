/** The kernel's connection table, as conntrack prints it. Pure but for asking. */
import { messageOf } from "../base/index.ts";
import { run } from "./tools.ts";

export interface Tracked {
  readonly transport: "tcp" | "udp";
  /** The kernel's word; empty for udp. */
  readonly state: string;
  /** As whoever began it sent it. */
  readonly from: string;
  readonly fromPort: number;
  readonly to: string;
  readonly toPort: number;
  readonly packetsOut: number;
  readonly bytesOut: number;
  readonly packetsIn: number;
  readonly bytesIn: number;
}

/** One line of `conntrack -L` or `-E`; null for what is neither TCP nor UDP over IPv4. */
export function parseTracked(line: string): Tracked | null {
  const transport = /\b(tcp|udp)\s+\d+\s/.exec(line)?.[1];
  const tuple = /src=([\d.]+) dst=([\d.]+) sport=(\d+) dport=(\d+)(?: packets=(\d+) bytes=(\d+))?/g;
  const [out, back] = line.matchAll(tuple);
  if ((transport !== "tcp" && transport !== "udp") || !out || !back) return null;
  const state = /\btcp\s+\d+\s+(?:\d+\s+)?([A-Z_]+)\b/.exec(line)?.[1] ?? "";
  return {
    transport,
    state,
    from: out[1] ?? "",
    to: out[2] ?? "",
    fromPort: Number(out[3]),
    toPort: Number(out[4]),
    packetsOut: Number(out[5] ?? 0),
    bytesOut: Number(out[6] ?? 0),
    packetsIn: Number(back[5] ?? 0),
    bytesIn: Number(back[6] ?? 0),
  };
}

/** Every TCP and UDP connection over IPv4 that the kernel tracks now. */
export async function listTracked(): Promise<Tracked[]> {
  const text = await run("conntrack", ["-L", "-f", "ipv4"]);
  return text.split("\n").flatMap((line) => parseTracked(line) ?? []);
}

/** Takes connections out of the table. One that has ended meanwhile is no error. */
export async function forget(connections: readonly Tracked[]): Promise<void> {
  for (const { transport, from, to, fromPort, toPort } of connections) {
    const tuple = ["-s", from, "-d", to, "--sport", String(fromPort), "--dport", String(toPort)];
    try {
      await run("conntrack", ["-D", "-p", transport, ...tuple]);
    } catch (error) {
      // It has ended meanwhile: conntrack says so with exit code 1. Anything else is for the reader.
      if (!messageOf(error).includes("0 flow entries have been deleted")) throw error;
    }
  }
}
