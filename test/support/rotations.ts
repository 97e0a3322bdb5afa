/** An appliance whose certificate is made anew many times a second, and clients that must not notice. */
import { readFileSync } from "node:fs";
import type { ExecutionContext } from "ava";
import { AuthorityBed, type Laptop } from "./authority-bed.ts";
import { shown, Steady } from "./rotation-clients.ts";
import { rotations } from "./rotation-day.ts";
import { pressSite } from "./sites.ts";
import { PymodbusMachine } from "./tools.ts";

/** V8 lets garbage lie as long as there is room: with little room, what is left is what is held. */
const LITTLE_ROOM = "--max-old-space-size=64 --max-semi-space-size=1";

export class Rotations {
  readonly #t: ExecutionContext;
  readonly #bed: AuthorityBed;
  readonly #alice: Laptop;
  readonly #ca: string;
  readonly #steady: readonly Steady[];
  readonly #before: number;
  readonly #serials = new Set<string>();
  #connections = 0;

  private constructor(
    t: ExecutionContext,
    bed: AuthorityBed,
    alice: Laptop,
    ca: string,
    steady: readonly Steady[],
  ) {
    this.#t = t;
    this.#bed = bed;
    this.#alice = alice;
    this.#ca = ca;
    this.#steady = steady;
    this.#before = rotations(bed.appliance.log);
  }

  static async start(t: ExecutionContext): Promise<Rotations> {
    const machine = await PymodbusMachine.start(t);
    const bed = await AuthorityBed.start(t, {
      site: pressSite(machine.port, { service: "requestTimeout: 20s" }),
      environment: { NIAC_ROTATION: "50ms", NODE_OPTIONS: LITTLE_ROOM },
    });
    const [alice, bob] = [await bed.laptop("alice"), await bed.laptop("bob")];
    const steady = await Promise.all([Steady.start(bed, alice), Steady.start(bed, bob)]);
    return new Rotations(t, bed, alice, await bed.trust(), steady);
  }

  get done(): number {
    return rotations(this.#bed.appliance.log) - this.#before;
  }

  /** `count` more rotations, with new connections all the while. */
  async more(count: number): Promise<void> {
    const end = this.done + count;
    while (this.done < end && this.#steady.every(({ failures }) => failures.length === 0)) {
      this.#serials.add((await shown(this.#bed, this.#alice, this.#ca)).serialNumber);
      this.#connections++;
    }
  }

  /** Kilobytes of memory that the gateway has in use. */
  memory(): number {
    const status = readFileSync(`/proc/${this.#bed.appliance.pid("gateway")}/status`, "utf8");
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]);
  }

  /** Checks that nothing failed, and says what was done. */
  async finish(): Promise<string[]> {
    const t = this.#t;
    for (const each of this.#steady) await each.stop();
    t.deepEqual(
      this.#steady.flatMap(({ failures }) => failures),
      [],
    );
    t.true(this.#serials.size > this.#connections / 10, "new connections were shown new certificates");
    t.notRegex(this.#bed.appliance.log, /"level":(?:50|60)/, "nothing failed");
    return [
      `${this.done} rotations`,
      `${this.#connections} new connections with ${this.#serials.size} certificates`,
      `${this.#steady.map(({ transactions }) => transactions).join(" and ")} transactions`,
    ];
  }
}
