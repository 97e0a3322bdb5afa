import { Appliance } from "../support/appliance.ts";
import { ModbusClient } from "../support/modbus-client.ts";
import { until } from "../support/processes.ts";
import { pressSite } from "../support/sites.ts";
import { PymodbusMachine, testWith } from "../support/tools.ts";

testWith("pymodbus")("connections are limited in all and by source, and room comes back", async (t) => {
  const machine = await PymodbusMachine.start(t);
  const bed = await Appliance.start(t, {
    site: pressSite(machine.port, { limits: "connections: 5, connectionsPerSource: 3" }),
  });
  const credential = bed.root.client({ cn: "alice", ou: ["maintenance"] });
  const open = (source: string): Promise<ModbusClient> => ModbusClient.connect(bed, { credential, source });
  const held: ModbusClient[] = [];
  for (const source of ["127.0.0.1", "127.0.0.1", "127.0.0.1"]) held.push(await open(source));
  await t.throwsAsync(open("127.0.0.1"), undefined, "a fourth of one source");
  for (const source of ["127.0.0.2", "127.0.0.2"]) held.push(await open(source));
  await t.throwsAsync(open("127.0.0.3"), undefined, "a sixth in all");
  for (const client of held) t.is((await client.read(10)).exception, 0, "those that are in stay in");

  const refused = await bed.recorded(2, "kind=session.refused", "stage=limit");
  t.regex(refused[0]?.reason ?? "", /127\.0\.0\.1 has 3 connections open, the limit for one source/);
  t.regex(refused[1]?.reason ?? "", /5 connections open, its limit/);
  t.regex(refused[1]?.source ?? "", /^127\.0\.0\.3:/);

  held[0]?.close();
  let again: ModbusClient | null = null;
  await until(async () => (again = await open("127.0.0.1").catch(() => null)) !== null, "room for another");
  t.truthy(again);
});
