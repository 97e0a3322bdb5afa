import test from "ava";
import { Appliance } from "../support/appliance.ts";
import { frame, ModbusClient, words, type Answer } from "../support/modbus-client.ts";
import { pressSite } from "../support/sites.ts";
import { TcpMachine } from "../support/tcp-machine.ts";

/** Asked for these, the machine answers one word of two; with a transaction id that is not the request's; with text. */
const [SHORT, OTHER_ID, TEXT] = [100, 101, 102];
/** Of each at least. */
const ROUNDS = 60;
const HEADER = 7;

/** What this machine sends for a read of holding registers. */
function answer(id: number, address: number, quantity: number): Buffer {
  if (address === TEXT) return Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n");
  const count = address === SHORT ? 1 : quantity;
  const values = Array.from({ length: count }, (_, i) => words(0, address + i).subarray(1));
  return frame(address === OTHER_ID ? id ^ 1 : id, 1, Buffer.concat([Buffer.of(3, 2 * count), ...values]));
}

test("a client that provokes bad answers all the time costs its neighbour nothing, and the record little", async (t) => {
  const machine = await TcpMachine.start(t, (socket) => {
    let held = Buffer.alloc(0);
    socket.on("data", (chunk) => {
      held = Buffer.concat([held, chunk]);
      for (; held.length >= HEADER + 5; held = held.subarray(HEADER + 5))
        socket.write(answer(held.readUInt16BE(0), held.readUInt16BE(8), held.readUInt16BE(10)));
    });
  });
  const bed = await Appliance.start(t, { site: pressSite(machine.port, { service: "maxConnections: 1" }) });
  const as = (cn: string): Promise<ModbusClient> =>
    ModbusClient.connect(bed, { credential: bed.root.client({ cn, ou: ["maintenance"] }) });
  const [alice, mallory] = [await as("alice"), await as("mallory")];
  t.deepEqual(await alice.read(10), { exception: 0, values: [10] });

  const bad: Answer[] = [];
  let reads = 0;
  const enough = (): boolean => reads >= ROUNDS && bad.length >= ROUNDS;
  const work = async (): Promise<void> => {
    for (; !enough(); reads++) {
      const at = 10 + (reads % 50);
      t.deepEqual(await alice.read(at, 2), { exception: 0, values: [at, at + 1] }, `read ${reads}`);
    }
  };
  const provoke = async (): Promise<void> => {
    while (!enough()) bad.push(await mallory.read([SHORT, OTHER_ID, TEXT][bad.length % 3] ?? SHORT, 2));
  };
  await Promise.all([work(), provoke()]);
  t.deepEqual(new Set(bad.map(({ exception }) => exception)), new Set([0x0b]), "each fails itself");

  // What came before it is on record before it is.
  alice.close();
  mallory.close();
  await bed.recorded(2, "kind=session.end");
  const circuits = (await bed.records("kind=process")).filter(
    ({ detail }) => detail?.["circuit"] !== undefined,
  );
  t.deepEqual(circuits, [], "the machine was never away");
  const malformed = await bed.records("kind=malformed");
  t.true(malformed.length >= 3, "each kind is on record");
  t.true(
    malformed.length < bad.length || bad.length < 20,
    `${malformed.length} records of ${bad.length} bad answers`,
  );
  for (const { stage, machine: place } of malformed)
    t.deepEqual({ stage, place }, { stage: "machine", place: "press-4" });
});
