import { Appliance } from "../support/appliance.ts";
import { ModbusClient, words } from "../support/modbus-client.ts";
import { pressSite } from "../support/sites.ts";
import { PymodbusMachine, testWith } from "../support/tools.ts";

const DENIED = 1;
const STEP = 5;
const MODBUS = `{
      functions: readWrite,
      read: { holdingRegisters: all },
      write: {
        coils: [{ addresses: 0-9, values: 1 }],
        holdingRegisters: [{ addresses: 10-19, values: 0-200 }, { addresses: 500, maxChange: ${STEP} }] } }`;

async function start(t: Parameters<Parameters<ReturnType<typeof testWith>>[1]>[0]) {
  const machine = await PymodbusMachine.start(t);
  const bed = await Appliance.start(t, { site: pressSite(machine.port, { modbus: MODBUS }) });
  const credential = bed.root.client({ cn: "alice", ou: ["maintenance"] });
  return { machine, bed, credential, client: await ModbusClient.connect(bed, { credential }) };
}

testWith("pymodbus")(
  "values outside the grant's do not reach the machine, by whatever function",
  async (t) => {
    const { machine, bed, client } = await start(t);
    t.is((await client.write(10, 200)).exception, 0);
    t.is((await client.write(10, 201)).exception, DENIED);
    t.is((await client.writeMany(10, [1, 2, 3])).exception, 0);
    t.is((await client.writeMany(10, [1, 2, 201])).exception, DENIED, "one of several");
    t.is((await client.writeMany(18, [1, 2, 3])).exception, DENIED, "one past the last address");
    t.is((await client.write(9, 1)).exception, DENIED);
    t.is((await client.request(words(5, 1, 0xff00))).readUInt8(0), 5, "a coil on");
    t.is((await client.request(words(5, 1, 0))).readUInt8(1), DENIED, "a coil off");
    const readWrite = Buffer.from("1700000001000a00010200c9", "hex");
    t.is((await client.request(readWrite)).readUInt8(1), DENIED, "function 23 writes 201");

    // 12 holds 12: what a mask makes of it decides.
    t.is((await client.writeMany(12, [12])).exception, 0);
    t.is((await client.mask(12, 0x00f0, 0x0f0f)).exception, DENIED, "would make 3855");
    t.is((await client.mask(12, 0x00ff, 0x0040)).exception, 0, "leaves 12");
    t.is((await client.mask(12, 0x000f, 0x0080)).exception, 0, "makes 140");
    t.deepEqual((await client.read(12)).values, [140]);
    t.deepEqual(
      (await machine.written()).map(({ address, values }) => [address, ...values]),
      [
        [10, 200],
        [10, 1, 2, 3],
        [12, 12],
        [12, 12],
        [12, 140],
      ],
    );
    const denials = await bed.recorded(7, "kind=operation", "decision=denial");
    t.deepEqual(new Set(denials.map(({ stage }) => stage)), new Set(["value", "address"]));
    t.true(denials.every(({ exception, rule }) => exception === DENIED && rule === "maintenance-runs-press"));
    t.true(
      denials.some(({ reason }) => reason?.includes("201")),
      "the reason gives the value",
    );
  },
);

testWith("pymodbus")("two clients that race never move a value further than the grant's step", async (t) => {
  const { machine, bed, credential, client } = await start(t);
  const other = await ModbusClient.connect(bed, { credential });
  t.is((await client.write(500, 500 + STEP + 1)).exception, DENIED);
  t.is((await client.write(500, 500 - STEP)).exception, 0);
  t.is((await client.write(500, 500)).exception, 0);

  let done = 0;
  let denied = 0;
  for (let round = 0; round < 40; round++) {
    const [held = 0] = (await client.read(500)).values;
    // Each alone would be good; after one of them the other is twice the step.
    const answers = await Promise.all([client.write(500, held + STEP), other.write(500, held - STEP)]);
    done += answers.filter(({ exception }) => exception === 0).length;
    denied += answers.filter(({ exception }) => exception === DENIED).length;
  }
  t.is(done, 40, "one of the two is done in every round");
  t.is(denied, 40);
  // What is sent without waiting is judged by what the one before has made of it.
  const [held = 0] = (await client.read(500)).values;
  const row = [1, 2, 3].map((i) => client.write(500, held + i * STEP));
  t.deepEqual(
    (await Promise.all(row)).map(({ exception }) => exception),
    [0, 0, 0],
  );

  let value = 500;
  for (const { values } of await machine.written()) {
    const next = values[0] ?? NaN;
    t.true(Math.abs(next - value) <= STEP, `from ${value} to ${next}`);
    value = next;
  }
  const denial = await bed.recorded(1, "kind=operation", "stage=change");
  t.regex(denial[0]?.reason ?? "", /500.*506|506.*500/, denial[0]?.reason);
});
