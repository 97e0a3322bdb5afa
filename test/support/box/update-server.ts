/**
 * The plant's update server: files of a folder by HTTP, parts of them too (RFC 9110, 14), as RAUC's streaming asks for.
 *
 * usage: node update-server.ts DIRECTORY ADDRESS PORT
 * Prints "ready".
 */
import { createReadStream, statSync } from "node:fs";
import { createServer } from "node:http";
import { basename, join } from "node:path";

const [directory = "", address = "", port = ""] = process.argv.slice(2);

createServer((request, response) => {
  const file = join(directory, basename(new URL(request.url ?? "/", "http://server").pathname));
  const size = statSync(file, { throwIfNoEntry: false })?.size;
  if (size === undefined) return void response.writeHead(404).end();
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
  const start = range === null ? 0 : Number(range[1]);
  const end = Math.min(range === null || range[2] === "" ? size - 1 : Number(range[2]), size - 1);
  if (start > end) return void response.writeHead(416, { "content-range": `bytes */${size}` }).end();
  const headers = { "content-length": end - start + 1, "accept-ranges": "bytes" };
  if (range === null) response.writeHead(200, headers);
  else response.writeHead(206, { ...headers, "content-range": `bytes ${start}-${end}/${size}` });
  if (request.method === "HEAD") return void response.end();
  // The client may have had enough of it.
  createReadStream(file, { start, end })
    .on("error", () => response.destroy())
    .pipe(response)
    .on("error", () => {});
}).listen(Number(port), address, () => process.stdout.write("ready\n"));
