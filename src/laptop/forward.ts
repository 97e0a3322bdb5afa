import { createServer, type Server, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { messageOf, systemCode, UnavailableError, UsageError } from "../base/index.ts";
import type { Dialled } from "./dial.ts";
import type { OfferedService } from "./directory.ts";
import { explainFailure } from "./failure.ts";

/** What went through one local port. */
export interface Traffic {
  /** Connections now, and since the start. */
  open: number;
  total: number;
  /** Bytes from the local program to the machine, and back. */
  sent: number;
  received: number;
  lastError: string | null;
}

export interface ForwardEvents {
  opened(forward: Forward, connection: number): void;
  /** `failure`: what ended it, where it was not one of the two sides' ordinary leaving. */
  closed(
    forward: Forward,
    connection: number,
    bytes: { sent: number; received: number },
    failure: string | null,
  ): void;
}

const UNANSWERED = "the appliance closed the connection before anything came; its record has the reason";

/** A local port of one service: each connection to it travels in a TLS connection of its own. */
export class Forward {
  readonly service: OfferedService;
  readonly traffic: Traffic = { open: 0, total: 0, sent: 0, received: 0, lastError: null };
  readonly #dial: () => Promise<Dialled>;
  readonly #events: ForwardEvents;
  readonly #sockets = new Set<Duplex>();
  /** Half-open: a program that has said all may still be listening. Paused: nothing is read before the appliance is verified. */
  readonly #server: Server = createServer(
    { allowHalfOpen: true, pauseOnConnect: true, noDelay: true },
    (local) => {
      void this.#carry(local);
    },
  );

  constructor(service: OfferedService, dial: () => Promise<Dialled>, events: ForwardEvents) {
    this.service = service;
    this.#dial = dial;
    this.#events = events;
  }

  /** Listens on the first of `ports` that can be had, and returns it. Throws a UsageError where none can. */
  async listen(address: string, ports: readonly number[]): Promise<number> {
    let failure = "";
    for (const port of ports) {
      try {
        return await listenOn(this.#server, address, port);
      } catch (error) {
        failure = systemCode(error) || messageOf(error);
        if (failure !== "EADDRINUSE" && failure !== "EACCES") break;
      }
    }
    const { machine, service } = this.service;
    throw new UsageError(
      "local-port",
      `no local port for ${machine}/${service}: ${address} port ${ports[0]} cannot be opened (${WORDS[failure] ?? failure})`,
      "Give another with --port.",
    );
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  async #carry(local: Socket): Promise<void> {
    const { traffic } = this;
    const connection = ++traffic.total;
    traffic.open++;
    this.#sockets.add(local);
    this.#events.opened(this, connection);
    // A local program may leave at any time; what it did is in the "close" that follows.
    local.on("error", () => local.destroy());
    const bytes = { sent: 0, received: 0 };
    let failure: string | null = null;
    try {
      failure = await this.#join(local, bytes);
    } catch (error) {
      failure = error instanceof UnavailableError && error.code === "stopped" ? null : messageOf(error);
      local.destroy();
    }
    traffic.open--;
    if (failure !== null) traffic.lastError = failure;
    this.#sockets.delete(local);
    this.#events.closed(this, connection, bytes, failure);
  }

  /** Resolves when both sides are closed, with what went wrong or null. */
  async #join(local: Socket, bytes: { sent: number; received: number }): Promise<string | null> {
    const { traffic } = this;
    const { socket: remote, about } = await this.#dial();
    if (local.destroyed) {
      remote.destroy();
      return null;
    }
    this.#sockets.add(remote);
    let failure: string | null = null;
    let leftFirst: "local" | "remote" | null = null;
    local.on("data", (chunk) => {
      bytes.sent += chunk.length;
      traffic.sent += chunk.length;
    });
    remote.on("data", (chunk: Buffer) => {
      bytes.received += chunk.length;
      traffic.received += chunk.length;
    });
    local.once("end", () => (leftFirst ??= "local"));
    remote.once("end", () => (leftFirst ??= "remote"));
    remote.once("error", (error) => {
      const cutOff = ["ECONNRESET", "EPIPE"].includes(systemCode(error));
      if (cutOff) leftFirst ??= "remote";
      else failure = explainFailure(error, about()).message;
    });
    local.pipe(remote);
    remote.pipe(local);
    const closed = Promise.all([closing(local), closing(remote)]);
    local.once("close", () => {
      leftFirst ??= "local";
      remote.destroy();
    });
    // The machine's last bytes still reach the local program.
    remote.once("close", () => local.destroySoon());
    await closed;
    this.#sockets.delete(remote);
    return failure ?? (leftFirst === "remote" && bytes.received === 0 ? UNANSWERED : null);
  }
}

const WORDS: Readonly<Record<string, string>> = {
  EADDRINUSE: "another program uses it",
  EACCES: "this needs an administrator's rights",
  EADDRNOTAVAIL: "this computer has no such address",
};

function listenOn(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void => {
      server.removeListener("listening", listening);
      reject(error);
    };
    const listening = (): void => {
      server.removeListener("error", failed);
      const bound = server.address();
      resolve(typeof bound === "object" && bound !== null ? bound.port : port);
    };
    server.once("error", failed);
    server.once("listening", listening);
    server.listen({ host, port, exclusive: true });
  });
}

function closing(socket: Duplex): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once("close", () => resolve());
  });
}
