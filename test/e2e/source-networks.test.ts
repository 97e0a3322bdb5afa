import { Appliance } from "../support/appliance.ts";
import { ModbusClient } from "../support/modbus-client.ts";
import { pressSite } from "../support/sites.ts";
import { PymodbusMachine, testWith } from "../support/tools.ts";

testWith("pymodbus")("a grant with source networks gives nothing from anywhere else", async (t) => {
  const machine = await PymodbusMachine.start(t);
  const bed = await Appliance.start(t, {
    site: pressSite(machine.port, { grant: `from: [127.0.0.2, "127.0.1.0/24"]` }),
  });
  const credential = bed.root.client({ cn: "alice", ou: ["maintenance"] });
  const read = async (source: string): Promise<number> => {
    const client = await ModbusClient.connect(bed, { credential, source });
    const { exception } = await client.read(10);
    client.close();
    return exception;
  };
  t.is(await read("127.0.0.2"), 0);
  t.is(await read("127.0.1.200"), 0);
  const reached = (await machine.heard()).length;
  t.is(await read("127.0.0.1"), 1);
  t.is(await read("127.0.2.1"), 1);
  t.is((await machine.heard()).length, reached);
  const refused = await bed.recorded(2, "kind=session.refused");
  t.deepEqual(
    refused.map(({ stage, rule, source }) => [stage, rule, source?.split(":")[0]]),
    [
      ["from", "maintenance-runs-press", "127.0.0.1"],
      ["from", "maintenance-runs-press", "127.0.2.1"],
    ],
  );
  t.regex(refused[0]?.reason ?? "", /127\.0\.0\.2.*not from 127\.0\.0\.1/);
});
