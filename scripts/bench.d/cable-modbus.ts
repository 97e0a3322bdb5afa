/**
 * A Modbus TCP client without TLS, run on a host of the cable's plant: one connection, one request at a time.
 *
 *     cable-modbus.ts ADDRESS PORT COUNT    prints median and p99 of the round trips, µs, as one line of JSON
 */
import { once } from "node:events";
import { connect } from "node:net";
import { Exchange } from "./frames.ts";
import { percentile } from "./results.ts";

/** Milliseconds. */
const SILENCE_LIMIT = 10_000;

const [host = "", port = "", count = ""] = process.argv.slice(2);
const socket = connect({ host, port: Number(port), noDelay: true });
socket.setTimeout(SILENCE_LIMIT, () => socket.destroy(new Error(`${host}:${port} was silent for too long`)));
await once(socket, "connect");
await trips(Math.max(100, Number(count) >> 2));
const measured = (await trips(Number(count))).toSorted();
socket.destroy();
const result = { median: percentile(measured, 0.5), p99: percentile(measured, 0.99) };
process.stdout.write(`${JSON.stringify(result)}\n`);

async function trips(amount: number): Promise<Float64Array> {
  const exchange = new Exchange("read");
  const times = new Float64Array(amount);
  for (let i = 0; i < amount; i++) {
    const begin = performance.now();
    socket.write(exchange.next());
    const reply = await whole(exchange.replyLength);
    times[i] = (performance.now() - begin) * 1_000;
    const fault = exchange.fault(reply, 0);
    if (fault !== null) throw new Error(`wrong reply of ${host}:${port}: ${fault}`);
  }
  return times;
}

/** A reply; one shorter than expected is an exception, whose length field says so. */
function whole(expected: number): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  let bytes: Buffer = Buffer.alloc(0);
  const take = (chunk: Buffer): void => {
    bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
    const complete = bytes.length >= 6 && bytes.length >= 6 + bytes.readUInt16BE(4);
    if (bytes.length < expected && !complete) return;
    socket.off("data", take).off("close", closed).off("error", reject);
    resolve(bytes);
  };
  const closed = (): void => reject(new Error(`${host}:${port} closed the connection`));
  socket.on("data", take).once("close", closed).once("error", reject);
  return promise;
}
