/** niac in the cable, and what is asked of it while it runs: its netd, its counters. */
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { INNER } from "../../src/base/index.ts";
import type { Namespaces } from "../../test/support/namespaces.ts";
import { BOX, PORTS } from "./cable-plant.ts";
import { cableSite } from "./cable-site.ts";
import type { Cleanup } from "./cleanup.ts";
import { launch, type RunningNiac } from "./niac.ts";
import { commandOf, cpuOf, cpuOfAll } from "./processes.ts";
import type { Stage } from "./stage.ts";

/** Milliseconds. */
const PATIENCE = 30_000;
const STEP = 5;
const IN_FORCE = '"msg":"ruleset in force"';

const links = z.array(
  z.looseObject({
    stats64: z.looseObject({
      rx: z.looseObject({ packets: z.number() }),
      tx: z.looseObject({ packets: z.number() }),
    }),
  }),
);

/** Environment of the box' ports. */
export const PORT_SETTINGS = {
  NIAC_UPLINK: PORTS.uplink,
  NIAC_DEVICE_PORT: PORTS.device,
  NIAC_LISTEN_MODBUS: "0.0.0.0:802",
  NIAC_LISTEN_SERVICES: "0.0.0.0:8443",
} as const;

/** What the box did until now: nanoseconds on a core, packets. */
export interface Reading {
  readonly at: number;
  readonly netd: number;
  readonly all: number;
  readonly lookedAt: number;
  readonly sent: number;
}

export class Box {
  readonly net: Namespaces;
  readonly #niac: RunningNiac;

  private constructor(net: Namespaces, niac: RunningNiac) {
    this.net = net;
    this.#niac = niac;
  }

  /** niac in the box of a plant, on the proxies' core; no site document yet. */
  static async start(stage: Stage, cleanup: Cleanup, net: Namespaces, nodeOptions = ""): Promise<Box> {
    const niac = launch(stage.place(nodeOptions), net.inside("box"), {
      ...PORT_SETTINGS,
      NIAC_UPLINK_ADDRESS: `${BOX}/24`,
      NIAC_LOG_LEVEL: "info",
    });
    cleanup.add(() => niac.process.kill());
    const box = new Box(net, niac);
    await box.#said('"msg":"netd attached"', 0);
    await box.#said(IN_FORCE, 0);
    return box;
  }

  /** Milliseconds from the command to the ruleset in force. */
  async apply(destinations: number): Promise<number> {
    const [press, hmi, scada] = (["press", "hmi", "scada"] as const).map((host) =>
      this.net.mac(host, "eth0"),
    );
    const site = cableSite({ press: press ?? "", hmi: hmi ?? "", scada: scada ?? "" }, destinations);
    const before = this.#niac.process.count(IN_FORCE);
    const begin = performance.now();
    await this.#niac.apply(site);
    await this.#said(IN_FORCE, before);
    return performance.now() - begin;
  }

  read(): Reading {
    return {
      at: performance.now(),
      netd: cpuOf(this.#netd()),
      all: cpuOfAll(this.#niac.process),
      lookedAt: packets(this.net, "box", INNER.sinkhole).tx,
      sent: packets(this.net, "attacker", "eth0").tx,
    };
  }

  stop(): Promise<void> {
    return this.#niac.process.stop();
  }

  #netd(): number {
    const pid = this.#niac.process.tree().find((each) => commandOf(each).includes("netd"));
    if (pid === undefined) throw new Error(`netd does not run: ${this.#niac.process.lastWords()}`);
    return pid;
  }

  async #said(text: string, before: number): Promise<void> {
    const { process } = this.#niac;
    const deadline = performance.now() + PATIENCE;
    while (process.count(text) <= before) {
      if (process.ended || performance.now() > deadline) {
        throw new Error(`niac in the cable did not say ${text}: ${process.lastWords()}`);
      }
      await sleep(STEP);
    }
  }
}

/** Received and sent by an interface since it is there. */
export function packets(
  net: Namespaces,
  host: string,
  port: string,
): { readonly rx: number; readonly tx: number } {
  const [link] = links.parse(JSON.parse(net.run(host, "ip", "-s", "-j", "link", "show", port)));
  if (link === undefined) throw new Error(`${host} has no interface ${port}`);
  return { rx: link.stats64.rx.packets, tx: link.stats64.tx.packets };
}
