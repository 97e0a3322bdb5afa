import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { PeerError, systemCode, UnavailableError, type Clock } from "../base/index.ts";
import { decodeNtp, encodeNtp } from "./ntp-packet.ts";
import { freshQuery, viewOf, type TimeView } from "./ntp-time.ts";

/** Milliseconds a time server has for its reply. */
export const NTP_TIMEOUT = 1_000;

/** Calls after so many milliseconds, once, unless what it returns is called before. */
export type After = (milliseconds: number, call: () => void) => () => void;

export const afterTime: After = (milliseconds, call) => {
  const timer = setTimeout(call, milliseconds);
  return () => clearTimeout(timer);
};

/**
 * Asks one time server once, from a port of its own. What is no reply to this query is passed over, so that a forged packet cannot
 * take the place of the real one. UnavailableError `time-server`.
 */
export function askTime(server: string, port: number, clock: Clock, after: After): Promise<TimeView> {
  const nonce = randomBytes(8).readBigUInt64BE();
  const socket = createSocket("udp4");
  return new Promise<TimeView>((resolve, reject) => {
    let passedOver = "";
    let sent = 0;
    const fail = (why: string): void =>
      reject(
        new UnavailableError(
          "time-server",
          `time server ${server} gave no answer: ${why}${passedOver}`,
          "Check that it runs and that the appliance reaches it over its uplink, UDP port 123.",
        ),
      );
    const inTime = after(NTP_TIMEOUT, () => fail(`none came within ${NTP_TIMEOUT} ms`));
    socket.once("close", inTime);
    socket.on("error", (error) => fail(systemCode(error)));
    socket.on("message", (bytes) => {
      try {
        resolve(viewOf(nonce, server, decodeNtp(bytes), sent, clock.monotonic()));
      } catch (error) {
        if (!(error instanceof PeerError)) throw error;
        passedOver = `; ${error.message}`;
      }
    });
    // Connected, so that the kernel hands in nothing but this server's packets.
    socket.connect(port, server, () => {
      sent = clock.monotonic();
      socket.send(encodeNtp(freshQuery(nonce)));
    });
  }).finally(() => socket.close());
}
