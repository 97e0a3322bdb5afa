/**
 * An engineer who cannot wait: asks for a holding register at a machine's own address, over mutual TLS, until there is an answer.
 *
 * usage: node first-read.ts HOST IDENTITY-FILE CA-FILE
 * Prints "read VALUE at MILLISECONDS-SINCE-THE-EPOCH".
 */
import { readFileSync } from "node:fs";
import { connect } from "node:tls";

/** MODBUS/TCP Security. */
const PORT = 802;
/** Milliseconds: of one try, and between two. */
const TRY = 3_000;
const PAUSE = 100;
/** Unit 1, one holding register at 11. */
const REQUEST = Buffer.from("0001000000060103000b0001", "hex");

const [host = "", identity = "", authorities = ""] = process.argv.slice(2);
const pem = readFileSync(identity);
const ca = readFileSync(authorities);

for (;;) {
  const answer = await ask();
  // transaction, protocol, length, unit, function 03, two bytes, value
  if (answer.length === 11 && answer[7] === 3) {
    process.stdout.write(`read ${answer.readUInt16BE(9)} at ${Date.now()}\n`);
    break;
  }
  await new Promise((resolve) => setTimeout(resolve, PAUSE));
}

/** What came back, however little. */
function ask(): Promise<Buffer> {
  return new Promise((resolve) => {
    let answer = Buffer.alloc(0);
    const socket = connect({ host, port: PORT, cert: pem, key: pem, ca, minVersion: "TLSv1.3" });
    const done = (): void => {
      socket.destroy();
      resolve(answer);
    };
    const late = setTimeout(done, TRY);
    socket.once("secureConnect", () => socket.write(REQUEST));
    socket.on("data", (data: Buffer) => {
      answer = Buffer.concat([answer, data]);
      if (answer.length >= 9) done();
    });
    socket.once("error", done);
    socket.once("close", () => {
      clearTimeout(late);
      done();
    });
  });
}
