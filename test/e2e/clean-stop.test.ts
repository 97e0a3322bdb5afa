import { existsSync, readFileSync } from "node:fs";
import { Appliance } from "../support/appliance.ts";
import { ModbusClient } from "../support/modbus-client.ts";
import { until } from "../support/processes.ts";
import { pressSite } from "../support/sites.ts";
import { PymodbusMachine, testWith } from "../support/tools.ts";

/** False for one that has ended and is only waiting for somebody to take note. */
function runs(pid: number): boolean {
  const stat = `/proc/${pid}/stat`;
  return existsSync(stat) && !/\) Z /.test(readFileSync(stat, "utf8"));
}

testWith("pymodbus")(
  "SIGTERM ends every session on record, leaves no process, and the next start finds nothing lost",
  async (t) => {
    const machine = await PymodbusMachine.start(t);
    const bed = await Appliance.start(t, { site: pressSite(machine.port) });
    const credential = bed.root.client({ cn: "alice", ou: ["maintenance"] });
    const clients = await Promise.all([1, 2, 3].map(() => ModbusClient.connect(bed, { credential })));
    for (const [i, client] of clients.entries()) {
      await client.write(10 + i, i);
      await client.read(10 + i);
    }
    const pids = [bed.pid("control"), bed.pid("gateway")];
    t.true(pids.every(runs));

    t.is(await bed.end("up"), 0);
    t.false(pids.some(runs), "no process is left");
    await until(() => clients.every((client) => client.ended), "the laptops to be told");

    await bed.run("up");
    const ends = await bed.recorded(3, "kind=session.end");
    t.is(ends.length, 3);
    for (const { reason, counts } of ends) {
      t.is(reason, "the appliance is being stopped");
      t.like(counts, { reads: 1, writes: 1 });
    }
    t.is((await bed.recorded(3, "kind=reads")).length, 3, "what was read is summed up");
    t.deepEqual(
      (await bed.recorded(3, "kind=outcome")).map(({ outcome }) => outcome),
      ["ok", "ok", "ok"],
    );
    const first = ["control started", "gateway attached", "gateway stopped", "control stopped"];
    t.deepEqual(
      (await bed.recorded(6, "kind=process")).map(({ reason }) => reason),
      [...first, "control started", "gateway attached"],
    );
    t.is((await (await ModbusClient.connect(bed, { credential })).read(10)).exception, 0);
  },
);

testWith("pymodbus")(
  "with niac up killed the others stop by themselves, and every session has its end",
  async (t) => {
    const machine = await PymodbusMachine.start(t);
    const bed = await Appliance.start(t, { site: pressSite(machine.port) });
    const credential = bed.root.client({ cn: "alice", ou: ["maintenance"] });
    const client = await ModbusClient.connect(bed, { credential });
    t.is((await client.write(10, 1)).exception, 0);
    const pids = [bed.pid("control"), bed.pid("gateway")];

    await bed.end("up", "SIGKILL");
    await until(() => !pids.some(runs), "control and gateway to be gone");
    await until(() => client.ended, "the laptop to be told");
    await bed.run("up");
    t.is((await bed.recorded(1, "kind=session.end")).length, 1);
    t.is((await bed.recorded(1, "kind=outcome")).length, 1);
    t.is((await (await ModbusClient.connect(bed, { credential })).read(10)).exception, 0);
  },
);
