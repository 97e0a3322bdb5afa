/**
 * A transfer that does not end by itself: reads four input registers again and again over one connection, and says when the
 * connection is closed.
 *
 *     transfer <host:port>
 */
import { connect } from "node:net";

/** MBAP header and PDU: read input registers (4), from 0, four of them; MODBUS Messaging on TCP/IP V1.0b, section 3.1. */
const READ = Buffer.from([0, 1, 0, 0, 0, 6, 1, 4, 0, 0, 0, 4]);
const ANSWER = 9 + 2 * 4;
const FUNCTION_AT = 7;
/** Milliseconds between reads, and reads between two lines of what was done. */
const PAUSE = 5;
const TOLD = 100;

const [, host, port] = /^(.+):(\d+)$/.exec(process.argv[2] ?? "") ?? [];
if (host === undefined) {
  console.error("usage: transfer <host:port>");
  process.exit(2);
}

let reads = 0;
let received = 0;
const socket = connect({ host, port: Number(port), noDelay: true }, () => socket.write(READ));
socket.on("data", (bytes: Buffer) => {
  if (received === 0 && bytes.length > FUNCTION_AT && (bytes[FUNCTION_AT] ?? 0) >= 0x80) {
    console.error(`the read was answered with exception ${bytes[FUNCTION_AT + 1]}`);
    process.exit(1);
  }
  received += bytes.length;
  if (received < ANSWER) return;
  received = 0;
  reads++;
  if (reads % TOLD === 1) console.log(`${reads} reads`);
  setTimeout(() => socket.write(READ), PAUSE);
});
socket.on("error", (error) => console.log(error.message));
socket.once("close", () => console.log(`closed at ${Date.now()} after ${reads} reads`));
