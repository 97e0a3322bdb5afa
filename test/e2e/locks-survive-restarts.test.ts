import { Appliance } from "../support/appliance.ts";
import { ModbusClient } from "../support/modbus-client.ts";
import { pressSite } from "../support/sites.ts";
import { PymodbusMachine, testWith } from "../support/tools.ts";

testWith("pymodbus")(
  "locks outlast control's, the gateway's and both's end, and a lock made while the gateway is away holds when it comes",
  async (t) => {
    const machine = await PymodbusMachine.start(t);
    const bed = await Appliance.start(t, {
      site: pressSite(machine.port),
      parts: ["control", "gateway"],
    });
    const credentials = new Map(
      ["alice", "bob", "carol"].map((cn) => [cn, bed.root.client({ cn, ou: ["maintenance"] })] as const),
    );
    const open = (cn: string): Promise<ModbusClient> =>
      ModbusClient.connect(bed, { credential: credentials.get(cn) ?? null });
    const exceptionOf = async (cn: string): Promise<number> => (await (await open(cn)).read(10)).exception;

    t.is((await bed.niac("lock", "user", "alice", "--reason", "lost laptop")).code, 0);
    t.is(await exceptionOf("alice"), 1);
    t.is(await exceptionOf("bob"), 0);

    await bed.end("control", "SIGKILL");
    await bed.run("control");
    await bed.until(async () => (await exceptionOf("bob")) === 0, "control to be attached again");
    t.is(await exceptionOf("alice"), 1);

    await bed.end("gateway", "SIGKILL");
    const away = await bed.niac(
      "lock",
      "user",
      "bob",
      "--reason",
      "while the gateway is away",
      "--for",
      "8h",
    );
    t.is(away.code, 0);
    t.regex(away.out, /lock 2 on user bob until .*\nthe gateway is away: it opens nothing new/);
    await bed.run("gateway");
    t.deepEqual(
      [await exceptionOf("alice"), await exceptionOf("bob"), await exceptionOf("carol")],
      [1, 1, 0],
    );

    await bed.end("gateway", "SIGKILL");
    await bed.end("control", "SIGKILL");
    await bed.run("control");
    await bed.run("gateway");
    t.deepEqual(
      [await exceptionOf("alice"), await exceptionOf("bob"), await exceptionOf("carol")],
      [1, 1, 0],
    );

    const carol = await open("carol");
    t.is((await carol.read(10)).exception, 0);
    const unlock = await bed.niac("unlock", "user", "alice", "--reason", "found it");
    t.is(unlock.out, "lock 1 on user alice is ended\n");
    t.deepEqual([await exceptionOf("alice"), await exceptionOf("bob")], [0, 1]);
    t.is((await carol.read(10)).exception, 0, "nobody else notices");
    const { out } = await bed.niac("locks");
    t.regex(out, /^2 +user bob +in force until .*while the gateway is away$/m);
    t.regex(out, /^1 +user alice +ended by .*lost laptop$/m);
    t.regex((await bed.niac("status")).out, /^locks +1 in force/m);
    const records = await bed.recorded(3, "kind=trust");
    t.deepEqual(
      records.map(({ detail }) => [detail?.["action"], detail?.["lock"], detail?.["value"]]),
      [
        ["lock", "1", "alice"],
        ["lock", "2", "bob"],
        ["unlock", "1", "alice"],
      ],
    );
  },
);
