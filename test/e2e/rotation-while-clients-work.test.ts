import { readFileSync } from "node:fs";
import test from "ava";
import { AuthorityBed } from "../support/authority-bed.ts";
import { shown, Steady } from "../support/rotation-clients.ts";
import { pressSite } from "../support/sites.ts";
import { PymodbusMachine } from "../support/tools.ts";

const ROTATIONS = 1_000;
const ROTATED = "the gateway has a new certificate of its own";
/** V8 lets garbage lie as long as there is room: with little room, what is left is what is held. */
const LITTLE_ROOM = "--max-old-space-size=64 --max-semi-space-size=1";
/** Kilobytes; a context kept for each rotation would be several times as much. */
const GROWTH = 65_536;

test("a thousand rotations: no transaction is lost, new connections see new certificates, memory does not grow", async (t) => {
  t.timeout(600_000);
  const machine = await PymodbusMachine.start(t);
  const bed = await AuthorityBed.start(t, {
    site: pressSite(machine.port, { service: "requestTimeout: 20s" }),
    environment: { NIAC_ROTATION: "50ms", NODE_OPTIONS: LITTLE_ROOM },
  });
  const { appliance } = bed;
  const [alice, bob] = [await bed.laptop("alice"), await bed.laptop("bob")];
  const ca = await bed.trust();
  const steady = await Promise.all([Steady.start(bed, alice), Steady.start(bed, bob)]);
  const before = rotations(appliance.log);
  const serials = new Set<string>();
  let early = 0;
  let connections = 0;
  while (
    rotations(appliance.log) < before + ROTATIONS &&
    steady.every(({ failures }) => failures.length === 0)
  ) {
    serials.add((await shown(bed, alice, ca)).serialNumber);
    connections += 1;
    if (early === 0 && rotations(appliance.log) > before + ROTATIONS / 4)
      early = resident(appliance.pid("gateway"));
  }
  const late = resident(appliance.pid("gateway"));
  for (const each of steady) await each.stop();
  t.deepEqual(
    steady.flatMap(({ failures }) => failures),
    [],
  );
  t.log(
    `${rotations(appliance.log) - before} rotations, ${connections} new connections with ${serials.size} certificates`,
  );
  t.log(
    `${steady.map(({ transactions }) => transactions).join(" and ")} transactions, memory ${early} kB and ${late} kB`,
  );
  t.true(serials.size > connections / 10, "new connections were shown new certificates");
  t.true(late - early < GROWTH, `memory grew from ${early} to ${late} kB`);
  t.notRegex(appliance.log, /"level":(?:50|60)/, "nothing failed");
});

function rotations(log: string): number {
  return log.split(ROTATED).length - 1;
}

/** Kilobytes of memory in use. */
function resident(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
}
