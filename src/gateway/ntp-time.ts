/**
 * What one exchange with a time server says, and what a machine is told from it. Pure.
 *
 *   server's clock          T2 ─── T3
 *                          /         \          θ: the server's clock at the middle of T2..T3, less ours at the middle of
 *   our monotonic clock   b ───────── c         b..c. Our own idea of the time of day plays no part: it may be wrong.
 *                       /               \
 *   machine's clock   T1                 T4     asked at a (its packet came), answered at d: it gets θ + a and θ + d
 *
 * So the machine measures the way to this appliance alone, and the server's clock as seen from here. What that view may be wrong
 * by is added to what the server said of itself: b..c less T2..T3 to the root delay, precisions and drift to the root dispersion
 * (RFC 5905, 11.1).
 */
import { PeerError } from "../base/index.ts";
import {
  LEAP_UNKNOWN,
  MAX_STRATUM,
  millisecondsBetween,
  MODE,
  shifted,
  type NtpPacket,
} from "./ntp-packet.ts";

/** Seconds a clock may drift in one (RFC 5905, PHI). */
const DRIFT = 15e-6;
/** 2^-10 s: what this process' scheduling leaves of its clock's precision. */
const PRECISION = -10;
/** Seconds; beyond it, half the root delay plus the dispersion, a server is as good as none (RFC 5905, MAXDIST is 1 and MAXDISP 16). */
const MAX_DISTANCE = 16;
/** Milliseconds that rounding and clocks of unequal speed may take from a round trip. */
const SLACK = 20;
const VERSION = 4;

/** Of one time server at one moment. */
export interface TimeView {
  readonly reply: NtpPacket;
  /** The server's IPv4 address, as 32 bits. */
  readonly server: number;
  /** Our monotonic milliseconds at the end of the exchange, and the server's clock then. */
  readonly at: number;
  readonly time: bigint;
  /** Milliseconds that the packets were under way, both together. */
  readonly delay: number;
  /** Whether the server says that its own clock can be trusted. */
  readonly synchronised: boolean;
}

/** A query that says nothing of who asks (RFC 9109; only the transmit time is there, and it is random). */
export function freshQuery(nonce: bigint): NtpPacket {
  return { ...BLANK, mode: MODE.client, version: VERSION, transmit: nonce };
}

const BLANK: NtpPacket = {
  leap: 0,
  version: VERSION,
  mode: 0,
  stratum: 0,
  poll: 0,
  precision: 0,
  rootDelay: 0,
  rootDispersion: 0,
  reference: 0,
  referenceTime: 0n,
  origin: 0n,
  receive: 0n,
  transmit: 0n,
};

/**
 * The reply to freshQuery(nonce), sent at `sent` and received at `received`, monotonic milliseconds. PeerError `ntp-reply` where it
 * is not one: whoever cannot see the query cannot make one up.
 */
export function viewOf(
  nonce: bigint,
  server: string,
  reply: NtpPacket,
  sent: number,
  received: number,
): TimeView {
  if (reply.origin !== nonce) throw wrong(server, "it does not repeat the query's transmit time");
  if (reply.mode !== MODE.server)
    throw wrong(server, `its mode is ${reply.mode}, a server's is ${MODE.server}`);
  // Some old clocks answer in the version they know.
  if (reply.version < 1 || reply.version > VERSION)
    throw wrong(server, `its version is ${reply.version}, known are 1 to ${VERSION}`);
  if (reply.transmit === 0n) throw wrong(server, "it has no transmit time");
  const held = millisecondsBetween(reply.receive, reply.transmit);
  // A kiss-o'-death need not have times.
  if (reply.stratum !== 0 && (held < -SLACK || held > received - sent + SLACK)) {
    throw wrong(
      server,
      `it was held for ${Math.round(held)} ms in an exchange of ${Math.round(received - sent)} ms`,
    );
  }
  const delay = Math.max(0, received - sent - held);
  const distance = (reply.rootDelay / 2 + reply.rootDispersion) / 65_536;
  return {
    reply,
    server: addressWord(server),
    at: received,
    time: shifted(reply.transmit, delay / 2),
    delay,
    synchronised:
      reply.leap !== LEAP_UNKNOWN &&
      reply.stratum >= 1 &&
      reply.stratum <= MAX_STRATUM &&
      distance < MAX_DISTANCE,
  };
}

/** The code of a kiss-o'-death (RFC 5905, 7.4), e.g. `RATE`; null: the reply is none. */
export function kissCode(reply: NtpPacket): string | null {
  if (reply.stratum !== 0) return null;
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(reply.reference);
  const code = bytes.toString("latin1").replace(/\0+$/, "");
  return /^[A-Z]{3,4}$/.test(code) ? code : null;
}

/**
 * The answer to a machine's query that came at `asked` and is answered at `answered`. A server that is not synchronised is passed on
 * as just that: the machine decides, as it would without this appliance.
 */
export function answerTo(query: NtpPacket, view: TimeView, asked: number, answered: number): NtpPacket {
  const { reply } = view;
  const seconds = Math.max(0, answered - view.at) / 1000;
  const dispersion =
    2 ** PRECISION + 2 ** Math.min(reply.precision, 0) + DRIFT * (seconds + view.delay / 1000);
  return {
    leap: reply.leap,
    version: query.version,
    mode: query.mode === MODE.symmetricActive ? MODE.symmetricPassive : MODE.server,
    stratum: view.synchronised ? reply.stratum + 1 : reply.stratum,
    poll: query.poll,
    precision: Math.max(PRECISION, Math.min(reply.precision, 0)),
    rootDelay: added(reply.rootDelay, view.delay / 1000),
    rootDispersion: added(reply.rootDispersion, dispersion),
    reference: view.synchronised ? view.server : reply.reference,
    referenceTime: view.synchronised ? view.time : reply.referenceTime,
    origin: query.transmit,
    receive: shifted(view.time, asked - view.at),
    transmit: shifted(view.time, answered - view.at),
  };
}

/** Rounded up, and no further than the field goes. */
function added(field: number, seconds: number): number {
  return Math.min(field + Math.ceil(seconds * 65_536), 0xffff_ffff);
}

function addressWord(address: string): number {
  return address.split(".").reduce((word, octet) => word * 256 + Number(octet), 0);
}

function wrong(server: string, why: string): PeerError {
  return new PeerError("ntp-reply", `the reply of time server ${server} was not taken: ${why}`);
}
