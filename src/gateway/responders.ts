import type { Logger } from "pino";
import { INNER, messageOf, type Clock } from "../base/index.ts";
import type { Snapshot } from "../site/index.ts";
import { startDns } from "./dns.ts";
import { startNtp } from "./ntp.ts";
import type { Recorder } from "./recorder.ts";
import type { Responder, ResponderOptions } from "./responder.ts";

/** Milliseconds between attempts to open: the inner address is there once netd has put its first ruleset in force. */
const RETRY = 500;
/** Milliseconds between looks at what is due to be recorded. */
const REPORT = 1_000;

/** DNS and NTP of machines behind an appliance in the cable; the kernel brings their queries to its inner address. */
export class Responders {
  readonly #options: Omit<ResponderOptions, "address" | "port">;
  readonly #log: Logger;
  readonly #open: Responder[] = [];
  readonly #timer: NodeJS.Timeout;
  #closed = false;

  constructor(snapshot: () => Snapshot, recorder: Recorder, clock: Clock, log: Logger) {
    this.#options = { snapshot, recorder, clock };
    this.#log = log;
    void this.#start("DNS", (options) => startDns(options), INNER.dns);
    void this.#start("NTP", (options) => startNtp(options), INNER.ntp);
    this.#timer = setInterval(() => {
      for (const responder of this.#open) responder.report();
    }, REPORT);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await Promise.all(this.#open.map((responder) => responder.close()));
  }

  async #start(
    name: string,
    open: (options: ResponderOptions) => Promise<Responder>,
    port: number,
  ): Promise<void> {
    let complaint = "";
    while (!this.#closed) {
      try {
        const responder = await open({ ...this.#options, address: INNER.address, port });
        if (this.#closed) await responder.close();
        else this.#open.push(responder);
        return;
      } catch (error) {
        if (complaint === "")
          this.#log.info({ reason: messageOf(error) }, `${name} for machines waits for its address`);
        complaint = messageOf(error);
        await new Promise((resolve) => setTimeout(resolve, RETRY));
      }
    }
  }
}
