import { connect, createServer, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import type { ExecutionContext } from "ava";
import { Appliance } from "../support/appliance.ts";
import { ANSWER, REQUEST, SClient } from "../support/s-client.ts";
import { pressSite } from "../support/sites.ts";
import { PymodbusMachine, testWith } from "../support/tools.ts";

const RECORD_HEADER = 5;

/** The client's first TLS record, as records that carry one byte each: what no firewall puts together by looking at a packet. */
function shredded(record: Buffer): Buffer {
  const parts = [...record.subarray(RECORD_HEADER)].map((byte) =>
    Buffer.concat([record.subarray(0, 3), Buffer.of(0, 1, byte)]),
  );
  return Buffer.concat(parts);
}

/** Sends a byte a turn of the event loop, so that each leaves by itself. */
async function dribble(bytes: Buffer, to: Socket): Promise<void> {
  for (const byte of bytes) {
    to.write(Buffer.of(byte));
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Passes connections on to `port` with the client's first record changed. */
async function relay(
  t: ExecutionContext,
  port: number,
  hello: (record: Buffer, to: Socket) => Promise<void>,
): Promise<number> {
  const server = createServer((client) => {
    const inside = connect({ port, host: "127.0.0.1", noDelay: true });
    for (const socket of [client, inside]) socket.on("error", () => socket.destroy());
    inside.pipe(client);
    // A connection that is reset ends the other one too: pipe passes on only an orderly end.
    inside.once("close", () => client.end());
    client.once("close", () => inside.destroy());
    let first = Buffer.alloc(0);
    const gather = (chunk: Buffer): void => {
      first = Buffer.concat([first, chunk]);
      if (first.length < RECORD_HEADER) return;
      const end = RECORD_HEADER + first.readUInt16BE(3);
      if (first.length < end) return;
      client.off("data", gather);
      client.pause();
      void hello(first.subarray(0, end), inside).then(() => {
        inside.write(first.subarray(end));
        return client.pipe(inside);
      });
    };
    client.on("data", gather);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => server.close());
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === "string") throw new Error("the relay has no port");
  return address.port;
}

testWith("pymodbus")(
  "a hello in single bytes is put together, and the certificate demanded as ever",
  async (t) => {
    const machine = await PymodbusMachine.start(t);
    const bed = await Appliance.start(t, { site: pressSite(machine.port) });
    const credential = bed.root.client({ cn: "alice", ou: ["maintenance"] });
    const ways = {
      "a byte a packet": (record: Buffer, to: Socket) => dribble(record, to),
      "a byte a record": async (record: Buffer, to: Socket) => {
        to.write(shredded(record));
      },
    };
    for (const [what, hello] of Object.entries(ways)) {
      const port = await relay(t, bed.modbusPort, hello);
      const client = new SClient(t, bed, { credential, port });
      client.send(REQUEST);
      await client.says(ANSWER);
      await client.leave();
      const bare = new SClient(t, bed, { credential: null, port });
      bare.send(REQUEST);
      t.false((await bare.closed()).includes(ANSWER), what);
    }
    const [refused] = await bed.recorded(1, "kind=session.refused");
    t.regex(refused?.reason ?? "", /no certificate/);
  },
);
