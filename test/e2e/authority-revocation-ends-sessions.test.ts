import test from "ava";
import { AuthorityBed, type Laptop } from "../support/authority-bed.ts";
import { ModbusClient } from "../support/modbus-client.ts";
import { until } from "../support/processes.ts";
import { pressSite } from "../support/sites.ts";
import { PymodbusMachine } from "../support/tools.ts";

test("a revocation ends the sessions of that certificate before the command returns, and no others", async (t) => {
  const machine = await PymodbusMachine.start(t);
  const bed = await AuthorityBed.start(t, { site: pressSite(machine.port) });
  const { appliance } = bed;
  const ca = await bed.trust();
  const connect = (credential: Laptop): Promise<ModbusClient> =>
    ModbusClient.connect(appliance, { credential, ca });
  const [alice, bob] = [await bed.laptop("alice"), await bed.laptop("bob")];
  const clients = [await connect(alice), await connect(alice), await connect(bob)] as const;
  for (const client of clients) t.deepEqual(await client.read(10, 2), { exception: 0, values: [10, 11] });

  const revoked = await appliance.niac("authority", "revoke", "--user", "alice", "--reason", "laptop stolen");
  t.is(revoked.code, 0, revoked.err);
  t.regex(revoked.out, /^1 certificate revoked; 2 sessions ended with it\./);
  await until(() => clients[0].ended && clients[1].ended, "alice's connections to close");
  t.deepEqual(await clients[2].read(10, 2), { exception: 0, values: [10, 11] });

  for (const end of await appliance.recorded(2, "kind=session.end", "user=alice")) {
    t.like(end, { decision: "denial", stage: "certificate" });
    t.regex(end.reason ?? "", /was revoked on .* by \S+: laptop stolen/);
  }
  const heard = (await machine.heard()).length;
  const late = await connect(alice);
  // Refused with an exception or a closed connection; either way nothing is done.
  await late.read(10, 2).catch(() => {});
  t.is((await machine.heard()).length, heard);
  t.regex((await appliance.recorded(1, "kind=session.refused"))[0]?.reason ?? "", /was revoked on/);

  const again = await appliance.niac("authority", "revoke", "--user", "alice", "--reason", "again");
  t.is(again.code, 2);
  t.regex(again.err, /no certificate in force with the user alice/);
  t.deepEqual(await clients[2].read(10, 2), { exception: 0, values: [10, 11] }, "all the while");
});

test("a revoked authority ends the sessions of all it issued; its successor's laptops come in", async (t) => {
  const machine = await PymodbusMachine.start(t);
  const bed = await AuthorityBed.start(t, { site: pressSite(machine.port) });
  const { appliance } = bed;
  const alice = await bed.laptop("alice");
  const client = await ModbusClient.connect(appliance, { credential: alice, ca: await bed.trust() });
  t.deepEqual(await client.read(10), { exception: 0, values: [10] });
  const words = ["--authority", "managed 3", "--reason", "its key was copied"];
  const revoked = await appliance.niac("authority", "revoke", ...words);
  t.regex(revoked.out, /^1 certificate revoked; \d sessions? ended with it\./);
  await until(() => client.ended, "the connection to close");
  t.is((await appliance.niac("authority", "rotate", "--tier", "managed")).code, 0);
  const again = await ModbusClient.connect(appliance, {
    credential: await bed.laptop("alice"),
    ca: await bed.trust(),
  });
  t.deepEqual(await again.read(10), { exception: 0, values: [10] });
});
