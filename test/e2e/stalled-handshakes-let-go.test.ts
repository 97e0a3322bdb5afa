import { connect, type Socket } from "node:net";
import { Appliance } from "../support/appliance.ts";
import { ModbusClient } from "../support/modbus-client.ts";
import { until } from "../support/processes.ts";
import { pressSite } from "../support/sites.ts";
import { PymodbusMachine, testWith } from "../support/tools.ts";

const STALLED = 200;
/** The first bytes of a hello that never goes on. */
const BEGINNING = Buffer.from("16030100c8010000c40303", "hex");

function stall(port: number, bytes: Buffer): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.write(bytes);
      resolve(socket);
    });
    socket.once("error", reject).on("error", () => {});
    socket.resume();
  });
}

testWith("pymodbus")(
  "200 clients that stall in the handshake are let go, and others get in meanwhile",
  async (t) => {
    const machine = await PymodbusMachine.start(t);
    const limits = "connections: 300, connectionsPerSource: 250, handshakeTimeout: 8s";
    const bed = await Appliance.start(t, { site: pressSite(machine.port, { limits }) });
    const credential = bed.root.client({ cn: "alice", ou: ["maintenance"] });
    const stalled = await Promise.all(
      Array.from({ length: STALLED }, (_, i) =>
        stall(bed.modbusPort, i % 2 === 0 ? BEGINNING : Buffer.alloc(0)),
      ),
    );
    const client = await ModbusClient.connect(bed, { credential });
    t.deepEqual(await client.read(10), { exception: 0, values: [10] });

    await until(() => stalled.every((socket) => socket.destroyed), "all of them to be let go");
    t.deepEqual(await client.read(11), { exception: 0, values: [11] }, "the session goes on");
    t.is((await (await ModbusClient.connect(bed, { credential })).read(12)).exception, 0);

    await bed.end("up");
    await bed.run("up");
    const records = await bed.recorded(1, "kind=session.refused", "stage=handshake");
    const counted = records.reduce((sum, { counts }) => sum + (counts?.["refused"] ?? 1), 0);
    t.is(counted, STALLED, "each is counted");
    t.true(records.length < 10, "and they are no flood of records");
    t.regex(records[0]?.reason ?? "", /8000 ms|8 s/);
  },
);
