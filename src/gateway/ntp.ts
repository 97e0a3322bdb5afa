import { PeerError } from "../base/index.ts";
import { decodeNtp, encodeNtp, MODE, type NtpPacket } from "./ntp-packet.ts";
import type { After } from "./ntp-exchange.ts";
import { TimeSource } from "./ntp-source.ts";
import { answerTo } from "./ntp-time.ts";
import { Responder, type Answering, type Query, type ResponderOptions } from "./responder.ts";
import { freshId } from "./session.ts";

/** Queries of one machine looked at in a second. */
export const NTP_PER_SECOND = 10;
const NTP_PORT = 123;
const MAX_BYTES_RECORDED = 300;

export interface NtpOptions extends ResponderOptions {
  /** UDP port of the time servers; 123. */
  readonly serverPort?: number;
  /** Counts the time that a server has for its reply; the system's timers. */
  readonly after?: After;
}

/**
 * NTP for machines: the appliance asks the site's time servers itself, with a packet of its own, and tells the machine their time as
 * seen from here. Nothing of the machine's packet but its transmit time comes back, and nothing of it goes on. report() is to be
 * called now and then. Where the site has no time servers nothing is answered.
 */
export async function startNtp(options: NtpOptions): Promise<Responder> {
  const { clock, recorder } = options;
  const report = (reason: string): void =>
    recorder.note({ time: clock.now(), kind: "process", id: freshId(), reason });
  const source = new TimeSource(clock, options.serverPort ?? NTP_PORT, report, options.after);
  return Responder.open(options, "NTP", NTP_PER_SECOND, async (query, refuse) => {
    const servers = query.snapshot.network?.timeServers ?? [];
    const packet = readQuery(query, servers, refuse);
    const view = packet && (await source.view(servers));
    return view && encodeNtp(answerTo(packet, view, query.received, clock.monotonic()));
  });
}

function readQuery(
  { bytes, machine }: Query,
  servers: readonly string[],
  refuse: Parameters<Answering>[1],
): NtpPacket | null {
  if (servers.length === 0) {
    const reason = `${machine.name} asked for the time; the site document names no time servers`;
    refuse("no servers", { kind: "flow.refused", stage: "ntp", reason });
    return null;
  }
  let packet: NtpPacket;
  try {
    packet = decodeNtp(bytes);
  } catch (error) {
    if (!(error instanceof PeerError)) throw error;
    const reason = `${machine.name} sent the appliance's NTP what cannot be read: ${error.message}`;
    const first = Buffer.from(bytes.subarray(0, MAX_BYTES_RECORDED)).toString("hex");
    refuse("malformed", { kind: "malformed", stage: "ntp", reason, bytes: first });
    return null;
  }
  const { mode, version } = packet;
  // Windows asks as a symmetric peer where nobody told it otherwise, and takes the answer of one.
  const asks = mode === MODE.client || mode === MODE.symmetricActive;
  if (asks && version >= 1 && version <= 4) return packet;
  const reason = `${machine.name} sent NTP version ${version} of mode ${mode}; answered are clients' queries (mode 3) of versions 1 to 4`;
  refuse(`mode ${mode} version ${version}`, { kind: "flow.refused", stage: "ntp", reason });
  return null;
}
