/** What passes through the box while it is measured: iperf3, new connections, Modbus reads. Each client is run on a core of choice. */
import { join } from "node:path";
import { z } from "zod";
import type { Namespaces } from "../../test/support/namespaces.ts";
import { packets } from "./cable-box.ts";
import { HOSTS, type Host } from "./cable-plant.ts";
import { CONNECT_PORT, IPERF_PORT, MODBUS_PORT } from "./cable-site.ts";
import type { Cleanup } from "./cleanup.ts";
import { PinnedProcess } from "./processes.ts";
import type { Stage } from "./stage.ts";

/** Each is opened when the last one of its lane is done. */
const LANES = 16;
/** Bytes of a small packet's payload. */
const SMALL = 64;

const script = (name: string): string => join(import.meta.dirname, name);
const rate = z.object({ end: z.object({ sum_received: z.object({ bits_per_second: z.number() }) }) });
const span = z.object({ end: z.object({ sum: z.object({ seconds: z.number() }) }) });
const trips = z.object({ median: z.number(), p99: z.number() });
export type Trips = z.infer<typeof trips>;

export class Traffic {
  readonly #net: Namespaces;
  readonly #stage: Stage;
  readonly #cleanup: Cleanup;

  private constructor(net: Namespaces, stage: Stage, cleanup: Cleanup) {
    this.#net = net;
    this.#stage = stage;
    this.#cleanup = cleanup;
  }

  /** Servers on the historian and the press, on the proxies' core: a packet's way through the box is on its sender's. */
  static async start(net: Namespaces, stage: Stage, cleanup: Cleanup): Promise<Traffic> {
    const traffic = new Traffic(net, stage, cleanup);
    const core = stage.proxyCore;
    const servers = [
      traffic.#run("historian", core, "iperf3", "-s", "--forceflush"),
      traffic.#run(
        "historian",
        core,
        process.execPath,
        script("cable-connect.ts"),
        "serve",
        String(CONNECT_PORT),
      ),
      traffic.#run("press", core, process.execPath, script("machine.ts"), "0.0.0.0", String(MODBUS_PORT)),
    ];
    await Promise.all(servers.map((server) => server.firstLine()));
    return traffic;
  }

  /** Gbit/s from the HMI to the historian, as the latter received it. */
  async tcp(core: number, seconds: number): Promise<number> {
    const text = await this.#run("hmi", core, ...iperf(seconds)).output();
    return rate.parse(JSON.parse(text)).end.sum_received.bits_per_second / 1e9;
  }

  /** Small packets a second that arrived at the historian's port, whether or not iperf3 kept up with them. */
  async packets(core: number, seconds: number): Promise<number> {
    const before = packets(this.#net, "historian", "eth0").rx;
    const text = await this.#run(
      "hmi",
      core,
      ...iperf(seconds),
      "-u",
      "-b",
      "0",
      "-l",
      String(SMALL),
    ).output();
    const arrived = packets(this.#net, "historian", "eth0").rx - before;
    return arrived / span.parse(JSON.parse(text)).end.sum.seconds;
  }

  /** TCP connections a second from the HMI to the historian, each opened, answered and closed. */
  async connections(core: number, seconds: number): Promise<number> {
    const words = [HOSTS.historian, String(CONNECT_PORT), String(seconds * 1_000), String(LANES)];
    return Number(
      await this.#run("hmi", core, process.execPath, script("cable-connect.ts"), ...words).output(),
    );
  }

  /** Reads of the press by the client without a certificate. */
  async modbus(core: number, count: number): Promise<Trips> {
    const words = [HOSTS.press, String(MODBUS_PORT), String(count)];
    const text = await this.#run(
      "scada",
      core,
      process.execPath,
      script("cable-modbus.ts"),
      ...words,
    ).output();
    return trips.parse(JSON.parse(text));
  }

  /** SYNs to one port of the press after the other, as fast as they go and at most `most`, until it is stopped. */
  flood(core: number, most: number, ...options: string[]): PinnedProcess {
    const words = ["--flood", "-q", "-S", "-p", "++1", "-c", String(most), ...options, HOSTS.press];
    return this.#run("attacker", core, "hping3", ...words);
  }

  #run(host: Host, core: number, ...command: string[]): PinnedProcess {
    const log = join(this.#stage.newDir(), "log");
    const started = new PinnedProcess(
      `${command[0]} of ${host}`,
      core,
      this.#net.inside(host, ...command),
      log,
    );
    this.#cleanup.add(() => started.kill());
    return started;
  }
}

function iperf(seconds: number): string[] {
  return ["iperf3", "-c", HOSTS.historian, "-p", String(IPERF_PORT), "-t", String(seconds), "-J"];
}
