/** Prints a free port of 127.0.0.1 for every argument: the port named, or where it is taken any other. */
import { createServer, type Server } from "node:net";

function listen(port: number): Promise<Server> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: "127.0.0.1", port, exclusive: true }, () => resolve(server));
  });
}

const servers: Server[] = [];
for (const wish of process.argv.slice(2)) {
  servers.push(await listen(Number(wish)).catch(() => listen(0)));
}
for (const server of servers) {
  const address = server.address();
  if (typeof address === "object" && address !== null) console.log(address.port);
  server.close();
}
