import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { HOSTS } from "../support/plant.ts";
import { cableSite, CableBed, FORWARDED } from "../support/plant-cable.ts";
import { until } from "../support/processes.ts";
import { testWith } from "../support/tools.ts";

const STREAM = new URL("../support/plant_stream.py", import.meta.url).pathname;
const [KEPT, GONE] = [4010, 4011];
/** How a connection ended. */
const ENDED = /^(?:reset|closed|wrong)/;

function also(...ports: readonly number[]): string {
  return `
  - { name: bulk, reason: Values of the year, machines: [hmi], how: forward, host: ${HOSTS.historian}, ports: [${ports.join(", ")}] }`;
}

testWith(
  "root",
  "tcpdump",
  "tshark",
  "conntrack",
)("a new document cuts what it no longer allows at once, and not a byte of the rest is lost", async (t) => {
  const bed = await CableBed.start(t, { more: also(KEPT, GONE) });
  const { plant } = bed;
  const watch = await bed.watch();
  const ends = new Map<number, Said[]>();
  for (const port of [KEPT, GONE]) {
    const server = new Said(plant.spawn("historian", "python3", [STREAM, "serve", String(port)]));
    await server.says(/^ready/);
    const client = new Said(plant.spawn("hmi", "python3", [STREAM, "dial", HOSTS.historian, String(port)]));
    await client.says(/^through/);
    ends.set(port, [server, client]);
  }

  // The engineer's grant is gone, too: a group nobody is in.
  const less = cableSite(plant, { more: also(KEPT) }).replace("groups: [maintenance] }", "users: [nobody] }");
  await plant.apply(less);
  const inForce = await plant.fence();
  for (const end of ends.get(GONE) ?? []) await end.says(/^reset/);
  t.regex(await bed.read(), /^failed/, "the engineer's session has ended");
  const tracked = (port: number): string =>
    plant.run("box", "conntrack", "-L", "-p", "tcp", "--dport", String(port)).trim();
  await until(() => tracked(GONE) === "", "nothing to be left of it in the kernel's table");
  t.regex(tracked(KEPT), /ESTABLISHED/);
  for (const end of ends.get(KEPT) ?? []) t.deepEqual(end.ends, [], "it goes on");

  // Back again, and the one that goes on ends as it should.
  await plant.apply(cableSite(plant, { more: also(KEPT, GONE) }));
  const [server, client] = ends.get(KEPT) ?? [];
  client?.finish();
  for (const end of ends.get(KEPT) ?? []) {
    await end.says(ENDED);
    t.regex(end.ends[0] ?? "", /^closed/, `refused were: ${JSON.stringify(await bed.refusals())}`);
  }
  t.deepEqual(client?.ends, server?.ends, "as many lines came back as were sent, each right");
  await bed.worksAgain("afterwards");

  const crossed = await watch.crossed();
  const odd = (line: string): boolean => !line.includes(`${KEPT}`) && !line.includes(`${GONE}`);
  t.deepEqual(
    { machines: crossed.machines.filter(odd), plant: crossed.plant.filter(odd) },
    { machines: [], plant: [] },
  );
  for (const [capture, port] of [
    [watch.uplink, "uplink"],
    [watch.machines, "device"],
  ] as const) {
    const gone = `tcp.port == ${GONE} && tcp.len > 0 && eth.src == ${plant.mac("box", port)}`;
    t.true(capture.frames(gone).length > 0, "it went on until then");
    t.deepEqual(capture.frames(`${gone} && ${capture.after(inForce)}`), []);
  }
  t.true(watch.uplink.frames(`tcp.dstport == ${FORWARDED}`).length > 0);
});

/** A process' words. */
class Said {
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];

  constructor(child: ChildProcess) {
    this.#child = child;
    if (child.stdout !== null)
      createInterface({ input: child.stdout }).on("line", (line) => this.#lines.push(line));
  }

  get ends(): string[] {
    return this.#lines.filter((line) => ENDED.test(line));
  }

  says(pattern: RegExp): Promise<void> {
    return until(
      () => this.#lines.some((line) => pattern.test(line)),
      `${pattern} in ${this.#lines.join(", ")}`,
    );
  }

  finish(): void {
    this.#child.stdin?.write("\n");
  }
}
