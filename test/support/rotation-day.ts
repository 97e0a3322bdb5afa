/** A day on a clock that the test sets, with the gateway's certificate made anew every eight hours while clients work. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { ExecutionContext } from "ava";
import { z } from "zod";
import { APPLIANCE, type Appliance } from "./appliance.ts";
import { AuthorityBed } from "./authority-bed.ts";
import { FakedClock } from "./faked-clock.ts";
import { end } from "./processes.ts";
import { Steady } from "./rotation-clients.ts";
import { pressSite } from "./sites.ts";
import { PymodbusMachine } from "./tools.ts";

const CLIENT = new URL("rotation-client.ts", import.meta.url).pathname;
export const ROTATED = "the gateway has a new certificate of its own";

const seenSchema = z.union([
  z.strictObject({ serial: z.string(), from: z.number(), until: z.number(), now: z.number() }),
  z.strictObject({ error: z.string() }),
]);
type Seen = z.infer<typeof seenSchema>;

/** What a new connection was shown: a certificate's serial number, its validity, and the time. */
export type Shown = Exclude<Seen, { readonly error: string }>;

/** `connections`: new ones, each with one transaction; `transactions`: on two connections that were open all the while. */
export interface DayReport {
  readonly rotations: number;
  readonly connections: readonly Shown[];
  readonly transactions: number;
  readonly failures: readonly string[];
}

export class RotationDay {
  readonly #appliance: Appliance;
  readonly #clock: FakedClock;
  readonly #steady: readonly Steady[];
  readonly #child: ChildProcess;
  readonly #seen: Seen[];
  readonly #before: number;
  #shift = 0;

  private constructor(
    appliance: Appliance,
    clock: FakedClock,
    steady: readonly Steady[],
    child: ChildProcess,
    seen: Seen[],
  ) {
    this.#appliance = appliance;
    this.#clock = clock;
    this.#steady = steady;
    this.#child = child;
    this.#seen = seen;
    this.#before = rotations(appliance.log);
  }

  static async start(t: ExecutionContext): Promise<RotationDay> {
    const machine = await PymodbusMachine.start(t);
    const site = pressSite(machine.port, { limits: "idleTimeout: 24h", service: "requestTimeout: 20s" });
    const clock = FakedClock.create(t);
    const bed = await AuthorityBed.start(t, {
      site,
      environment: { ...clock.environment, NIAC_ROTATION: "8h" },
    });
    const { appliance } = bed;
    const alice = await bed.laptop("alice");
    const steady = [await Steady.start(bed, alice), await Steady.start(bed, alice)];
    appliance.write("ca.pem", await bed.trust());
    appliance.write("certificate.pem", alice.chainPem);
    appliance.write("key.pem", alice.keyPem);
    const args = [CLIENT, String(appliance.modbusPort), `modbus.press-4.${APPLIANCE}`, appliance.dir];
    const child = spawn(process.execPath, args, {
      env: { ...process.env, ...clock.environment },
      stdio: ["pipe", "pipe", "inherit"],
    });
    t.teardown(() => end(child));
    const seen: Seen[] = [];
    createInterface(child.stdout).on("line", (line) => seen.push(seenSchema.parse(JSON.parse(line))));
    return new RotationDay(appliance, clock, steady, child, seen);
  }

  /** Certificates made since the day began. */
  get rotations(): number {
    return rotations(this.#appliance.log) - this.#before;
  }

  /** The clock goes on by `seconds`, and new connections are made by the new time. */
  async pass(seconds: number): Promise<void> {
    this.#shift += seconds;
    this.#clock.shift(`+${this.#shift}`);
    const mark = this.#seen.length;
    await this.#appliance.until(() => this.#seen.length > mark + 2, "connections by the new time");
  }

  /** Resolves when so many certificates were made since the day began. */
  rotated(count: number): Promise<void> {
    return this.#appliance.until(() => this.rotations >= count, `${count} rotations`);
  }

  async finish(): Promise<DayReport> {
    this.#child.stdin?.end();
    await once(this.#child, "exit");
    for (const each of this.#steady) await each.stop();
    return {
      rotations: this.rotations,
      connections: this.#seen.flatMap((one) => ("serial" in one ? [one] : [])),
      transactions: this.#steady.reduce((sum, { transactions }) => sum + transactions, 0),
      failures: [
        ...this.#steady.flatMap(({ failures }) => failures),
        ...this.#seen.flatMap((one) => ("error" in one ? [one.error] : [])),
      ],
    };
  }
}

/** How often the gateway has said in its log that it has a new certificate. */
export function rotations(log: string): number {
  return log.split(ROTATED).length - 1;
}
