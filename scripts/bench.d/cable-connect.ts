/**
 * New connections for as long as they last, run on a host of the cable's plant.
 *
 *     cable-connect.ts serve PORT                        answers each connection with a byte and its end; prints a line when it is ready
 *     cable-connect.ts ADDRESS PORT MILLISECONDS LANES   opens them, one after the other in each lane; prints how many a second
 */
import { connect, createServer } from "node:net";

const [first = "", port = "", milliseconds = "", lanes = ""] = process.argv.slice(2);
if (first === "serve") serve(Number(port));
else await load(first, Number(port), Number(milliseconds), Number(lanes));

function serve(at: number): void {
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on("error", () => socket.destroy());
    socket.end("+");
  });
  server.listen({ host: "0.0.0.0", port: at, backlog: 1_024 }, () => process.stdout.write("ready\n"));
}

async function load(address: string, at: number, span: number, parallel: number): Promise<void> {
  const begin = performance.now();
  const end = begin + span;
  let done = 0;
  const lane = async (): Promise<void> => {
    while (performance.now() < end) {
      await one(address, at);
      done++;
    }
  };
  await Promise.all(Array.from({ length: parallel }, lane));
  process.stdout.write(`${(done * 1_000) / (performance.now() - begin)}\n`);
}

/** A connection that is refused or brings no byte ends the measurement: speed of failing is none. */
function one(host: string, at: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let bytes = 0;
  const socket = connect({ host, port: at, noDelay: true });
  socket.on("data", (chunk: Buffer) => (bytes += chunk.length));
  socket.once("error", reject);
  socket.once("close", () => {
    if (bytes === 1) resolve();
    else reject(new Error(`a connection to ${host}:${at} brought ${bytes} bytes, not 1`));
  });
  return promise;
}
