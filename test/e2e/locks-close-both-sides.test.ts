import test from "ava";
import { Appliance, APPLIANCE } from "../support/appliance.ts";
import { until } from "../support/processes.ts";
import { SClient } from "../support/s-client.ts";
import { pressSite } from "../support/sites.ts";
import { TcpMachine } from "../support/tcp-machine.ts";

const GREETING = "RFB 003.008\n";

function site(press: number, oven: number): string {
  return pressSite(1, {
    services: `vnc: { protocol: tcp, address: "127.0.0.1:${press}" }`,
    machines: `  oven-1: { services: { vnc: { protocol: tcp, address: "127.0.0.1:${oven}" } } }`,
    grants: `
  - name: maintenance-sees-the-screens
    reason: Maintenance looks at the machines' own screens
    who: { groups: [maintenance] }
    what: { machines: [press-4, oven-1], services: [vnc] }`,
  });
}

test("a lock on a machine closes the laptop's connection and the machine's own, and lets those of others be", async (t) => {
  const [press, oven] = [
    await TcpMachine.start(t, (socket) => void socket.write(GREETING)),
    await TcpMachine.start(t, (socket) => void socket.write(GREETING)),
  ];
  const bed = await Appliance.start(t, { site: site(press.port, oven.port) });
  const credential = bed.root.client({ cn: "alice", ou: ["maintenance"] });
  const look = (machine: string): SClient =>
    new SClient(t, bed, { credential, serverName: `vnc.${machine}.${APPLIANCE}`, port: bed.servicesPort });
  const clients = [look("press-4"), look("press-4"), look("oven-1")] as const;
  for (const client of clients) await client.says(GREETING);

  const typo = await bed.niac("lock", "machine", "pres-4", "--reason", "it moves by itself");
  t.is(typo.code, 2);
  t.regex(typo.err, /no machine "pres-4", so the lock would cover nobody\nIt has oven-1, press-4\./);
  const lock = await bed.niac("lock", "machine", "press-4", "--reason", "it moves by itself", "--for", "1h");
  t.regex(lock.out, /in force; ended 2 sessions/);
  await clients[0].closed();
  await clients[1].closed();
  await until(
    () => press.connections.length === 2 && press.connections.every(({ destroyed }) => destroyed),
    "the machine's sides to be closed",
  );
  t.true(oven.connections.every(({ destroyed }) => !destroyed));
  const late = look("press-4");
  t.notRegex(await late.closed(), /RFB/);
  t.is(press.connections.length, 2, "the machine sees nobody");
  for (const end of await bed.recorded(2, "kind=session.end"))
    t.like(end, { machine: "press-4", decision: "denial", stage: "lock" });

  t.is((await bed.niac("unlock", "1")).code, 0);
  await look("press-4").says(GREETING);
  t.true(
    oven.connections.every(({ destroyed }) => !destroyed),
    "all the while",
  );
});
