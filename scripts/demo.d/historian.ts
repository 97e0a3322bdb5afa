/** The plant's historian, as far as the demo needs one: node historian.ts <address>:<port>. Keeps what it is sent by HTTP, and prints it. */
import { createServer } from "node:http";

/** Bytes; a value is a short line. */
const MOST = 200;

const [, host, port] = /^(.+):(\d+)$/.exec(process.argv[2] ?? "") ?? [];
if (host === undefined || port === undefined) throw new Error("usage: node historian.ts <address>:<port>");

let kept = 0;
const server = createServer((request, response) => {
  let text = "";
  request.setEncoding("utf8").on("data", (more: string) => {
    text = (text + more).slice(0, MOST);
  });
  request.on("end", () => {
    kept++;
    console.log(`${request.socket.remoteAddress} sent ${text}`);
    response.end(`historian: ${kept} kept, the latest is ${text} from ${request.socket.remoteAddress}\n`);
  });
});
server.listen(Number(port), host, () => console.log(`historian is ready on ${host}:${port}`));
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.once(signal, () => server.close().closeAllConnections());
}
