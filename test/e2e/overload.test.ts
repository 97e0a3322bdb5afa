import { Appliance } from "../support/appliance.ts";
import { ModbusClient } from "../support/modbus-client.ts";
import { end, until } from "../support/processes.ts";
import { pressSite } from "../support/sites.ts";
import { PymodbusMachine, testWith } from "../support/tools.ts";

const BUSY = 0x06;
const TARGET_FAILED = 0x0b;
const QUEUED = 5;
const CLIENTS = 10;

testWith("pymodbus")(
  "a silent machine: exception 06 when its queue is full or the wait too long, 0B when its time is up, and it comes back",
  async (t) => {
    const machine = await PymodbusMachine.start(t);
    const service = `maxConnections: 1, maxPending: 1, maxQueued: ${QUEUED}, requestTimeout: 3s, queueTimeout: 4s`;
    const bed = await Appliance.start(t, { site: pressSite(machine.port, { service }) });
    const credential = bed.root.client({ cn: "alice", ou: ["maintenance"] });
    const clients = await Promise.all(
      Array.from({ length: CLIENTS }, () => ModbusClient.connect(bed, { credential })),
    );
    for (const client of clients) t.is((await client.read(10)).exception, 0);

    machine.child.kill("SIGSTOP");
    t.teardown(() => machine.child.kill("SIGCONT"));
    const order: number[] = [];
    const answers = await Promise.all(
      clients.map(async (client) => {
        const { exception } = await client.read(11);
        order.push(exception);
        return exception;
      }),
    );
    const full = CLIENTS - 1 - QUEUED;
    t.deepEqual(
      order.slice(0, full),
      Array.from({ length: full }, () => BUSY),
      "the full queue is said at once",
    );
    t.is(order[full], TARGET_FAILED, "then the first one's time is up");
    t.true(
      answers.every((exception) => exception === TARGET_FAILED || exception === BUSY),
      answers.join(" "),
    );
    t.true(answers.filter((exception) => exception === BUSY).length > full, "and who waited for it too long");
    t.is((await clients[0]!.write(20, 1234)).exception, TARGET_FAILED);
    const [silent] = await bed.recorded(1, "kind=outcome");
    t.true(silent?.outcome === "timeout" || silent?.outcome === "not-sent", silent?.outcome);
    t.true(
      clients.every((client) => !client.ended),
      "no session ends over it",
    );

    machine.child.kill("SIGCONT");
    await bed.until(async () => (await clients[0]!.read(12)).exception === 0, "the machine to be back");
    t.deepEqual((await clients[1]!.read(13)).values, [13], "and no late answer is taken for another's");
    const reached = (await machine.written()).some(({ values }) => values[0] === 1234);
    if (silent?.outcome === "not-sent") t.false(reached, "what is on record as not sent never arrives");
    t.regex((await bed.niac("status")).out, /^press-4\/modbus +working/m);
  },
);

testWith("pymodbus")(
  "a machine that is away: exception 0B at once, and it is found again when it is back",
  async (t) => {
    const machine = await PymodbusMachine.start(t);
    const bed = await Appliance.start(t, { site: pressSite(machine.port) });
    const credential = bed.root.client({ cn: "alice", ou: ["maintenance"] });
    const client = await ModbusClient.connect(bed, { credential });
    t.is((await client.read(10)).exception, 0);

    await end(machine.child, "SIGKILL");
    t.is((await client.read(10)).exception, TARGET_FAILED);
    t.is((await client.write(10, 1)).exception, TARGET_FAILED);
    const [outcome] = await bed.recorded(1, "kind=outcome");
    t.is(outcome?.outcome, "not-sent");
    t.regex(outcome?.reason ?? "", /^press-4 does not answer \(.*ECONNREFUSED.*\)/);
    const status = (await bed.niac("status")).out;
    t.regex(status, /^press-4\/modbus +(not answering|being tried) +0 +0 +0 +.*ECONNREFUSED/m);

    const back = await PymodbusMachine.start(t, machine.port);
    await bed.until(async () => (await client.read(10)).exception === 0, "the machine to be found again");
    t.is((await client.write(10, 2)).exception, 0);
    t.deepEqual(
      await back.written(),
      [{ address: 10, values: [2] }],
      "and only what was answered as done arrived",
    );
    t.false(client.ended);
    const circuit = await bed.recorded(2, "kind=process", "machine=press-4");
    t.deepEqual(
      circuit.map(({ detail }) => detail?.["circuit"]),
      ["open", "closed"],
    );
    await until(() => back.connections === 1, "one connection");
  },
);
