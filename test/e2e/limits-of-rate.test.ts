import { Appliance } from "../support/appliance.ts";
import { ModbusClient } from "../support/modbus-client.ts";
import { until } from "../support/processes.ts";
import { pressSite } from "../support/sites.ts";
import { PymodbusMachine, testWith } from "../support/tools.ts";

const DENIED = 1;
const BUSY = 6;
const RATE = 4;

async function read(client: ModbusClient): Promise<number> {
  return (await client.read(10)).exception;
}

testWith("pymodbus")(
  "operations a second are limited for a user over all sessions, and go on by themselves",
  async (t) => {
    const machine = await PymodbusMachine.start(t);
    const bed = await Appliance.start(t, {
      site: pressSite(machine.port, { grant: `howFast: { operationsPerSecond: ${RATE} }` }),
    });
    const alice = bed.root.client({ cn: "alice", ou: ["maintenance"] });
    const bob = bed.root.client({ cn: "bob", ou: ["maintenance"] });
    const clients = [
      await ModbusClient.connect(bed, { credential: alice }),
      await ModbusClient.connect(bed, { credential: alice }),
    ];
    const began = performance.now();
    const answers = await Promise.all(
      clients.flatMap((client) => Array.from({ length: 30 }, () => client.read(10))),
    );
    const seconds = (performance.now() - began) / 1000;
    const done = answers.filter(({ exception }) => exception === 0).length;
    t.is(done + answers.filter(({ exception }) => exception === BUSY).length, answers.length);
    t.true(done >= RATE, `${done} were done`);
    t.true(done <= RATE + RATE * seconds, `${done} were done in ${seconds} s`);
    t.is((await machine.heard()).length, done, "the machine saw those alone");
    const other = await ModbusClient.connect(bed, { credential: bob });
    t.is((await other.read(10)).exception, 0, "another user has a rate of his own");
    await bed.until(async () => (await clients[0]!.read(10)).exception === 0, "the user's rate to come back");
    const denied = await bed.recorded(1, "kind=operation", "stage=rate");
    t.like(denied[0], { rule: "maintenance-runs-press", exception: BUSY });
  },
);

testWith("pymodbus")("sessions at once are limited for a user, and room comes back", async (t) => {
  const machine = await PymodbusMachine.start(t);
  const bed = await Appliance.start(t, {
    site: pressSite(machine.port, { grant: "howFast: { connections: 2 }" }),
  });
  const alice = bed.root.client({ cn: "alice", ou: ["maintenance"] });
  const bob = bed.root.client({ cn: "bob", ou: ["maintenance"] });
  const open = (): Promise<ModbusClient> => ModbusClient.connect(bed, { credential: alice });

  // All at once, so that none can count on another's being counted.
  const clients = await Promise.all(Array.from({ length: 6 }, open));
  const answers = await Promise.all(clients.map(read));
  t.is(answers.filter((exception) => exception === 0).length, 2, answers.join(" "));
  t.is(answers.filter((exception) => exception === DENIED).length, 4, answers.join(" "));
  t.is(await read(await ModbusClient.connect(bed, { credential: bob })), 0, "another user has his own");
  const [refused] = await bed.recorded(1, "kind=session.refused");
  t.like(refused, { stage: "connections", rule: "maintenance-runs-press" });

  clients[answers.indexOf(0)]?.close();
  await until(async () => (await read(await open())) === 0, "room for another");
  t.is((await bed.recorded(3, "kind=session.start", "user=alice")).length, 3);
});
