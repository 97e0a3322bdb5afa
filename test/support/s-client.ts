/** `openssl s_client`, the client that plants test with; everything it says is kept. */
import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { APPLIANCE, type Appliance } from "./appliance.ts";
import { frame, words } from "./modbus-client.ts";
import type { Credential } from "./pki.ts";
import { end, until, type Teardown } from "./processes.ts";

/** Reads holding register 10 of unit 1, and the answer of a machine that holds 10 there, in latin1 as `out` has it. */
export const REQUEST = frame(1, 1, words(3, 10, 1));
export const ANSWER = frame(1, 1, Buffer.of(3, 2, 0, 10)).toString("latin1");

export interface SClientOptions {
  /** Null: none is sent. */
  readonly credential: Credential | null;
  /** SNI as it is sent, or null for none; default `modbus.press-4` at the appliance. */
  readonly serverName?: string | null;
  readonly port?: number;
  /** More of openssl's own options. */
  readonly args?: readonly string[];
}

export class SClient {
  readonly child: ChildProcessWithoutNullStreams;
  /** What the other side sent, and what openssl says of the connection, as it came. */
  out = "";
  #closed = false;

  constructor(t: Teardown, bed: Appliance, options: SClientOptions) {
    const { credential, serverName = `modbus.press-4.${APPLIANCE}`, port = bed.modbusPort } = options;
    const name = serverName === null ? ["-noservername"] : ["-servername", serverName];
    const identity = credential === null ? [] : ["-cert", credential.chain, "-key", credential.key];
    // It goes on after its input has ended, until the appliance closes the connection.
    const args = [
      "s_client",
      "-connect",
      `127.0.0.1:${port}`,
      "-ign_eof",
      "-CAfile",
      bed.root.credential.cert,
    ];
    this.child = spawn("openssl", [...args, ...name, ...identity, ...(options.args ?? [])]);
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.setEncoding("latin1").on("data", (text: string) => (this.out += text));
    }
    // A refused handshake closes its input under what is still being written.
    this.child.stdin.on("error", () => {});
    this.child.once("close", () => (this.#closed = true));
    t.teardown(() => end(this.child, "SIGKILL"));
  }

  send(bytes: Uint8Array | string): void {
    this.child.stdin.write(bytes);
  }

  /** Waits until it has said something. */
  async says(what: string | RegExp): Promise<void> {
    const found = (): boolean => (typeof what === "string" ? this.out.includes(what) : what.test(this.out));
    try {
      await until(() => found() || this.#closed, `openssl s_client to say ${String(what)}`);
    } catch (error) {
      throw new Error(`${String(error)}; it said:\n${this.out}`, { cause: error });
    }
    if (!found())
      throw new Error(`openssl s_client ended without saying ${String(what)}; it said:\n${this.out}`);
  }

  /** Waits until the connection is over; everything it said. */
  async closed(): Promise<string> {
    await until(() => this.#closed, "openssl s_client to be disconnected");
    return this.out;
  }

  /** Leaves, and waits until the process is gone. */
  async leave(): Promise<string> {
    await end(this.child);
    return this.closed();
  }
}
