import test from "ava";
import { AuthorityBed } from "../support/authority-bed.ts";
import { shown, Steady } from "../support/rotation-clients.ts";
import { pressSite } from "../support/sites.ts";
import { PymodbusMachine } from "../support/tools.ts";

function machines(...names: string[]): string {
  return names
    .map((name) => `  ${name}: { services: { plc: { protocol: modbus-tcp, address: 192.0.2.1 } } }`)
    .join("\n");
}

test("two changes of names and a rotation at once: the last names are in the certificate, and nobody notices", async (t) => {
  t.timeout(180_000);
  const machine = await PymodbusMachine.start(t);
  const bed = await AuthorityBed.start(t, {
    site: pressSite(machine.port),
    environment: { NIAC_ROTATION: "200ms" },
  });
  const { appliance } = bed;
  const alice = await bed.laptop("alice");
  const ca = await bed.trust();
  const steady = await Promise.all([Steady.start(bed, alice), Steady.start(bed, alice)]);
  for (const round of ["a", "b", "c"]) {
    await appliance.apply(pressSite(machine.port, { machines: machines(`first-${round}`) }));
    await appliance.apply(pressSite(machine.port, { machines: machines(`second-${round}`) }));
    let names = "";
    await appliance.until(async () => {
      names = (await shown(bed, alice, ca)).subjectAltName ?? "";
      return names.includes(`DNS:*.second-${round}.box.plant.example`);
    }, `a certificate for second-${round}`);
    t.false(names.includes("first-"), names);
    t.true(names.includes("DNS:*.press-4.box.plant.example"));
  }
  for (const each of steady) await each.stop();
  t.deepEqual(
    steady.flatMap(({ failures }) => failures),
    [],
  );
  t.notRegex(appliance.log, /cannot be renewed/);
});

test("with eight hours between rotations, new names are there at once", async (t) => {
  const machine = await PymodbusMachine.start(t);
  const bed = await AuthorityBed.start(t, {
    site: pressSite(machine.port),
    environment: { NIAC_ROTATION: "8h" },
  });
  const alice = await bed.laptop("alice");
  await bed.appliance.apply(pressSite(machine.port, { machines: machines("drive-9") }));
  await bed.appliance.until(
    async () => (await shown(bed, alice)).subjectAltName?.includes("drive-9") ?? false,
    "a certificate for drive-9",
  );
  t.pass();
});
