/**
 * A client in a process of its own, so that it can live by another clock: connects anew again and again, with one transaction each, until
 * its standard input ends. Prints a line of JSON for each: {"serial","from","until"}, or {"error"}.
 *
 *     node rotation-client.ts PORT SERVERNAME DIRECTORY     with ca.pem, certificate.pem and key.pem there
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { connect, type TLSSocket } from "node:tls";

const [port = "", servername = "", dir = ""] = process.argv.slice(2);
const READ = Buffer.from("000100000006010300070001", "hex");
const REPLY = "000100000005010302";

process.stdin.resume();
const pem = (name: string): string => readFileSync(join(dir, name), "utf8");

while (!process.stdin.readableEnded) {
  process.stdout.write(`${JSON.stringify(await once())}\n`);
  await new Promise((resolve) => setTimeout(resolve, 20));
}

function once(): Promise<object> {
  return new Promise((resolve) => {
    const options = { ca: pem("ca.pem"), cert: pem("certificate.pem"), key: pem("key.pem") };
    const socket: TLSSocket = connect({ host: "127.0.0.1", port: Number(port), servername, ...options }, () =>
      socket.write(READ),
    );
    const done = (result: object): void => {
      resolve(result);
      socket.destroy();
    };
    socket.once("data", (chunk) => {
      const certificate = socket.getPeerX509Certificate();
      const good = chunk.toString("hex").startsWith(REPLY) && certificate !== undefined;
      if (!good) return done({ error: `answered ${chunk.toString("hex")}` });
      const { serialNumber: serial, validFromDate, validToDate } = certificate;
      done({ serial, from: validFromDate.getTime(), until: validToDate.getTime(), now: Date.now() });
    });
    socket.once("error", (error) => done({ error: String(error) }));
    socket.once("close", () => done({ error: "the connection was closed" }));
  });
}
