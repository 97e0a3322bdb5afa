/**
 * The machine all proxies stand before: a Modbus TCP server, run as a process of its own. Prints its port as one line.
 *
 *     machine.ts [HOST PORT]    default: a free port of 127.0.0.1
 */
import { createServer } from "node:net";
import { answer, registerValue } from "./frames.ts";

const [host = "127.0.0.1", port = "0"] = process.argv.slice(2);
const NOTHING = Buffer.alloc(0);
const registers = Uint16Array.from({ length: 65_536 }, (_, address) => registerValue(address));

const server = createServer({ noDelay: true }, (socket) => {
  let waiting: Buffer = NOTHING;
  socket.on("data", (chunk: Buffer) => {
    const bytes = waiting.length === 0 ? chunk : Buffer.concat([waiting, chunk]);
    const { replies, used } = answer(bytes, registers);
    waiting = used === bytes.length ? NOTHING : bytes.subarray(used);
    if (replies.length > 0) socket.write(replies);
  });
  // A proxy that is stopped resets its connections; that is no fault of the machine.
  socket.on("error", () => socket.destroy());
});
server.listen({ host, port: Number(port), backlog: 1_024 }, () => {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the machine has no port");
  process.stdout.write(`${address.port}\n`);
});
