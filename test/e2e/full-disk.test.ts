import { rmSync } from "node:fs";
import { join } from "node:path";
import { Appliance } from "../support/appliance.ts";
import { fill, smallDisk } from "../support/disk.ts";
import { ModbusClient } from "../support/modbus-client.ts";
import { pressSite } from "../support/sites.ts";
import { PymodbusMachine, testWith } from "../support/tools.ts";

const BUSY = 6;

testWith("root", "pymodbus")(
  "a full disk refuses writes and new sessions with that reason, and is over when there is room",
  async (t) => {
    const machine = await PymodbusMachine.start(t);
    const disk = smallDisk(t, 4);
    const bed = await Appliance.start(t, { site: pressSite(machine.port), stateDir: join(disk, "state") });
    const credential = bed.root.client({ cn: "alice", ou: ["maintenance"] });
    const client = await ModbusClient.connect(bed, { credential });
    let done = 0;
    const write = async (): Promise<number> => {
      const { exception } = await client.write(20, done + 1);
      if (exception === 0) done++;
      return exception;
    };
    t.is(await write(), 0);

    const filler = fill(disk);
    await bed.until(async () => (await write()) === BUSY, "a write to be refused");
    t.is(
      (await machine.written()).length,
      done,
      "the machine saw what was answered as done, and nothing else",
    );
    t.is((await client.read(10)).exception, 0, "reads go on");
    const late = await ModbusClient.connect(bed, { credential });
    t.is((await late.read(10)).exception, BUSY, "a new session is refused");
    const status = await bed.niac("status");
    t.is(status.code, 0, status.err);
    t.regex(status.out, /audit log +full: writes and new sessions are refused/);
    const applied = await bed.tryApply(`${pressSite(machine.port)}# changed\n`);
    t.is(applied.code, 1);
    t.regex(applied.err, /is full[^]*Free some space/, "a site document cannot be applied either");

    rmSync(filler);
    await bed.until(async () => (await write()) === 0, "writes to be taken again");
    t.is((await machine.written()).length, done);
    const again = await ModbusClient.connect(bed, { credential });
    t.is((await again.read(10)).exception, 0);

    const denied = await bed.recorded(1, "stage=unrecorded", "kind=operation");
    t.regex(denied[0]?.reason ?? "", /audit log of box is full/);
    const refused = await bed.recorded(1, "kind=session.refused", "stage=unrecorded");
    t.like(refused[0], { machine: "press-4", identity: { user: "alice" } });
    t.is((await bed.niac("status")).out.match(/recording/)?.length, 1);
    const operations = await bed.records("kind=operation", "decision=permit");
    const outcomes = await bed.recorded(operations.length, "kind=outcome");
    t.is(outcomes.filter(({ outcome }) => outcome === "ok").length, done);
  },
);
