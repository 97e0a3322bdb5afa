import { createServer, type Server, type Socket } from "node:net";
import * as tls from "node:tls";
import { messageOf } from "../base/index.ts";
import type { Snapshot } from "../site/index.ts";
import type { Admission } from "./admission.ts";
import { listenAt, type Place } from "./place.ts";
import { chooseCapturedProtocol, chooseProtocol } from "./target.ts";
import { serverOptions, type TlsMaterial } from "./tls.ts";

/** A laptop's connection whose handshake is done. */
export interface Arrival {
  readonly socket: tls.TLSSocket;
  readonly source: { readonly address: string; readonly port: number };
  readonly entrance: Entrance;
}

/** modbus, services: an address of the appliance's own; captured: a machine's address, which tells where it was going. */
export type Entrance = "modbus" | "services" | "captured";

/** A connection from its acceptance on. */
interface Pending {
  readonly source: Arrival["source"];
  timer: NodeJS.Timeout | null;
  state: "handshake" | "done" | "failed";
}

export interface ListenerHost {
  snapshot(): Snapshot;
  readonly admission: Admission;
  arrived(arrival: Arrival): void;
  /** A connection that ended before its handshake was done. */
  turnedAway(source: { address: string; port: number }, stage: string, reason: string): void;
}

/**
 * One TLS listener. A client certificate is always asked for; whether it is good is judged afterwards, by niac's own gate, so that
 * a refused one can be named. No resumption: every session's certificate is looked at anew.
 */
export class Listener {
  readonly #place: Place;
  readonly #entrance: Entrance;
  readonly #host: ListenerHost;
  readonly #tcp: Server;
  readonly #tls: tls.Server;
  readonly #open = new Set<Socket>();
  readonly #pending = new Map<string, Pending>();

  constructor(place: Place, entrance: Entrance, host: ListenerHost) {
    this.#place = place;
    this.#entrance = entrance;
    this.#host = host;
    this.#tls = tls.createServer({
      requestCert: true,
      rejectUnauthorized: false,
      ALPNCallback: ({ servername, protocols }) => this.#protocol(servername, protocols),
    });
    this.#tls.on("secureConnection", (socket) => this.#secured(socket));
    this.#tls.on("tlsClientError", (error, socket) => {
      this.#failed(socket, messageOf(error));
      socket.destroy();
    });
    this.#tcp = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000 }, (socket) =>
      this.#accepted(socket),
    );
  }

  /** Throws what OpenSSL says of unusable material; the old one then stays in use. */
  setMaterial(material: TlsMaterial, tls12: boolean): void {
    this.#tls.setSecureContext(serverOptions(material, tls12));
  }

  listen(): Promise<void> {
    return listenAt(this.#tcp, this.#place);
  }

  close(): void {
    this.#tcp.close();
    for (const socket of this.#open) socket.destroy();
  }

  #accepted(socket: Socket): void {
    const source = { address: socket.remoteAddress ?? "", port: socket.remotePort ?? 0 };
    if (source.address === "") {
      socket.destroy();
      return;
    }
    const { admission } = this.#host;
    const limits = this.#host.snapshot().site.limits;
    const full = admission.enter(source.address, limits);
    if (full !== null) {
      socket.destroy();
      this.#host.turnedAway(source, "limit", full);
      return;
    }
    const pending: Pending = { source, timer: null, state: "handshake" };
    pending.timer = setTimeout(() => {
      this.#turnAway(pending, `the TLS handshake was not done within ${limits.handshakeTimeout} ms`);
      socket.destroy();
    }, limits.handshakeTimeout);
    const ends = endsOf(socket);
    this.#pending.set(ends, pending);
    this.#open.add(socket);
    socket.once("close", () => {
      this.#open.delete(socket);
      this.#pending.delete(ends);
      admission.leave(source.address);
      this.#turnAway(pending, "the client left in the TLS handshake");
    });
    this.#tls.emit("connection", socket);
  }

  #secured(socket: tls.TLSSocket): void {
    const pending = this.#pending.get(endsOf(socket));
    if (!pending || pending.state !== "handshake") {
      socket.destroy();
      return;
    }
    this.#finish(pending, "done");
    // Whoever takes the socket over listens for itself; an error before that must not end the process.
    socket.on("error", () => socket.destroy());
    this.#host.arrived({ socket, source: pending.source, entrance: this.#entrance });
  }

  #failed(socket: tls.TLSSocket, reason: string): void {
    const pending = this.#pending.get(endsOf(socket));
    if (pending) this.#turnAway(pending, `the TLS handshake failed: ${reason}`);
  }

  #turnAway(pending: Pending, reason: string): void {
    if (pending.state !== "handshake") return;
    this.#finish(pending, "failed");
    this.#host.turnedAway(pending.source, "handshake", reason);
  }

  #finish(pending: Pending, state: "done" | "failed"): void {
    pending.state = state;
    if (pending.timer) clearTimeout(pending.timer);
    pending.timer = null;
  }

  #protocol(servername: string, protocols: string[]): string | undefined {
    try {
      const snapshot = this.#host.snapshot();
      return this.#entrance === "captured"
        ? chooseCapturedProtocol(snapshot, protocols)
        : chooseProtocol(snapshot, servername, protocols, this.#entrance === "modbus");
    } catch {
      // An exception in here would leave the handshake hanging; no protocol ends it with an alert.
      return undefined;
    }
  }
}

/** What tells connections apart on both the TCP socket and the TLS socket that Node makes of it. */
function endsOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort} ${socket.localAddress} ${socket.localPort}`;
}
