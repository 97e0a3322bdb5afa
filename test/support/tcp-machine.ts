/** A machine with a plain TCP service of any kind: what it does with a connection is the test's. */
import { createServer, type Socket } from "node:net";
import type { Teardown } from "./processes.ts";

export class TcpMachine {
  readonly port: number;
  /** Every connection it ever had, in order. */
  readonly connections: readonly Socket[];

  private constructor(port: number, connections: readonly Socket[]) {
    this.port = port;
    this.connections = connections;
  }

  static async start(t: Teardown, serve: (socket: Socket) => void): Promise<TcpMachine> {
    const connections: Socket[] = [];
    const server = createServer((socket) => {
      connections.push(socket);
      socket.on("error", () => socket.destroy());
      serve(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    t.teardown(() => {
      server.close();
      for (const socket of connections) socket.destroy();
    });
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("the machine has no port");
    return new TcpMachine(address.port, connections);
  }
}
