import { createServer, type Server, type Socket } from "node:net";
import type { Snapshot } from "../site/index.ts";
import type { Admission } from "./admission.ts";
import { cut } from "./cut.ts";
import { listenAt, type Place } from "./place.ts";

/** A connection without TLS, and where it was going when it was captured. */
export interface PlainArrival {
  readonly socket: Socket;
  /** plain: a client of the plant without a certificate; outbound: a machine. */
  readonly role: "plain" | "outbound";
  readonly source: { readonly address: string; readonly port: number };
  readonly asked: { readonly address: string; readonly port: number };
}

export interface PlainHost {
  snapshot(): Snapshot;
  readonly admission: Admission;
  arrivedPlain(arrival: PlainArrival): void;
  turnedAway(source: { address: string; port: number }, stage: string, reason: string): void;
}

/**
 * A listener of captured connections without TLS. The ruleset lets only known stations come here: a source with its MAC and IP
 * address, a machine at its port with its own. Neither can be seen from here again but for the IP address, which is.
 */
export class PlainListener {
  readonly #place: Place;
  readonly #role: PlainArrival["role"];
  readonly #host: PlainHost;
  readonly #server: Server;
  readonly #open = new Set<Socket>();

  constructor(place: Place, role: PlainArrival["role"], host: PlainHost) {
    this.#place = place;
    this.#role = role;
    this.#host = host;
    this.#server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000 }, (socket) =>
      this.#accepted(socket),
    );
  }

  listen(): Promise<void> {
    return listenAt(this.#server, this.#place);
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#open) socket.destroy();
  }

  #accepted(socket: Socket): void {
    const { remoteAddress, remotePort, localAddress, localPort } = socket;
    // Whoever takes the socket over listens for itself; an error before that must not end the process.
    socket.on("error", () => socket.destroy());
    if (!remoteAddress || !remotePort || !localAddress || !localPort) {
      socket.destroy();
      return;
    }
    const source = { address: remoteAddress, port: remotePort };
    const { admission } = this.#host;
    const full = admission.enter(source.address, this.#host.snapshot().site.limits);
    if (full !== null) {
      cut(socket);
      this.#host.turnedAway(source, "limit", full);
      return;
    }
    this.#open.add(socket);
    socket.once("close", () => {
      this.#open.delete(socket);
      admission.leave(source.address);
    });
    const asked = { address: localAddress, port: localPort };
    this.#host.arrivedPlain({ socket, role: this.#role, source, asked });
  }
}
