/** What the fuzzer makes, sent to the gateway over mutual TLS by a client that may only read some registers. */
import { Appliance } from "../support/appliance.ts";
import { frame, ModbusClient, words } from "../support/modbus-client.ts";
import { until } from "../support/processes.ts";
import { pressSite } from "../support/sites.ts";
import { Soak } from "../support/soak.ts";
import { PymodbusMachine, testWith } from "../support/tools.ts";
import { Generator } from "../unit/modbus/generator.ts";

/** Of a round. Half of them send a stream of anything, the other half so many frames. */
const CONNECTIONS = 40;
const FRAMES = 8;
const LAST = 49;
const MODBUS = `{ functions: readOnly, read: { holdingRegisters: [0-${LAST}] } }`;

/** Returns how many bytes were sent. */
async function stream(client: ModbusClient, generator: Generator): Promise<number> {
  const bytes = generator.stream();
  // Whatever it is answered, if anything.
  client.socket.removeAllListeners("data").resume().end(bytes);
  await until(() => client.ended, "the end of a connection");
  return bytes.length;
}

/** Each when the one before was answered; one that cannot be read ends the connection. Returns how many bytes were sent. */
async function frames(client: ModbusClient, generator: Generator): Promise<number> {
  let sent = 0;
  for (let i = 0; i < FRAMES && !client.ended; i++) {
    // Some ask for what there is, and for what is beside it.
    const read = words(3, generator.below(LAST + 20), 1 + generator.below(20));
    const pdu = i % 2 === 0 ? read : Buffer.from(generator.request());
    sent += frame(0, 1, pdu).length;
    // Rejects where the connection ends over it; that is looked for in the next turn.
    await client.request(pdu).catch(() => undefined);
  }
  client.close();
  return sent;
}

testWith("pymodbus")(
  "whatever bytes a client sends, the machine sees what its grant allows and nothing else, and the gateway goes on",
  async (t) => {
    const soak = Soak.fromEnvironment();
    t.timeout(soak.patience);
    const machine = await PymodbusMachine.start(t);
    const bed = await Appliance.start(t, { site: pressSite(machine.port, { modbus: MODBUS }) });
    const gateway = bed.pid("gateway");
    const credential = bed.root.client({ cn: "alice", ou: ["maintenance"] });
    const steady = await ModbusClient.connect(bed, { credential });
    const sum = { connections: 0, bytes: 0, reached: 0 };
    while (soak.goesOn()) {
      const seed = Math.floor(soak.chance() * 2 ** 32);
      const generator = new Generator(seed);
      for (let i = 0; i < CONNECTIONS; i++) {
        const client = await ModbusClient.connect(bed, { credential });
        sum.bytes += await (i % 2 === 0 ? stream : frames)(client, generator);
        sum.connections++;
      }
      const said = await steady.read(11);
      t.deepEqual(said, { exception: 0, values: [11] }, `another session goes on; seed ${seed}`);
      const heard = (await machine.heard()).slice(sum.reached);
      for (const line of heard) {
        const [, at = "-1", count = "0"] = /^read holdingRegisters (\d+) (\d+)$/.exec(line) ?? [];
        const within = Number(at) >= 0 && Number(at) + Number(count) - 1 <= LAST;
        t.true(within, `the machine saw "${line}"; seed ${seed}`);
      }
      sum.reached += heard.length;
      t.is(bed.pid("gateway"), gateway, `the gateway was started again; seed ${seed}`);
    }
    t.true(sum.reached > 2 * soak.rounds, "some of it was permitted, and done");
    t.notRegex(bed.log, /"level":(?:50|60)/, "nothing failed");
    t.log(
      soak.summary(
        `${sum.connections} connections`,
        `${sum.bytes} bytes`,
        `${sum.reached} reads reached the machine`,
      ),
    );
  },
);
