import { constants } from "node:crypto";
import { createServer, type Server, type Socket } from "node:net";
import * as tls from "node:tls";
import { messageOf, systemCode, UnavailableError } from "../base/index.ts";
import type { TlsMaterial } from "../link/index.ts";
import type { Address } from "../settings/index.ts";
import type { Snapshot } from "../site/index.ts";
import type { Admission } from "./admission.ts";
import { chooseProtocol } from "./target.ts";

/** Authenticated encryption only, as MODBUS/TCP Security asks. */
const CIPHERS = [
  "TLS_AES_128_GCM_SHA256",
  "TLS_AES_256_GCM_SHA384",
  "TLS_CHACHA20_POLY1305_SHA256",
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
].join(":");
/** The hybrid first; then what clients without it have. */
const GROUPS = "X25519MLKEM768:X25519:P-256:P-384";

/** A laptop's connection whose handshake is done. */
export interface Arrival {
  readonly socket: tls.TLSSocket;
  readonly source: { readonly address: string; readonly port: number };
  readonly modbusOnly: boolean;
}

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
  readonly #address: Address;
  readonly #modbusOnly: boolean;
  readonly #host: ListenerHost;
  readonly #tcp: Server;
  readonly #tls: tls.Server;
  readonly #open = new Set<Socket>();
  readonly #pending = new Map<string, Pending>();

  constructor(address: Address, modbusOnly: boolean, host: ListenerHost) {
    this.#address = address;
    this.#modbusOnly = modbusOnly;
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
    const options: tls.SecureContextOptions = {
      cert: material.certificate,
      key: material.key,
      ca: material.clientCa,
      minVersion: tls12 ? "TLSv1.2" : "TLSv1.3",
      ciphers: CIPHERS,
      honorCipherOrder: true,
      ecdhCurve: GROUPS,
      secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
    };
    tls.createSecureContext(options);
    this.#tls.setSecureContext(options);
  }

  listen(): Promise<void> {
    const { host, port } = this.#address;
    return new Promise((resolve, reject) => {
      this.#tcp.once("error", (error) => {
        reject(
          new UnavailableError(
            "listen",
            `the gateway cannot listen on ${host} port ${port} (${systemCode(error)})`,
            systemCode(error) === "EACCES"
              ? "Ports under 1024 need CAP_NET_BIND_SERVICE, or choose another with NIAC_LISTEN_MODBUS and NIAC_LISTEN_SERVICES."
              : "Choose another address with NIAC_LISTEN_MODBUS and NIAC_LISTEN_SERVICES.",
          ),
        );
      });
      this.#tcp.listen({ host, port, backlog: 1024 }, resolve);
    });
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
    this.#host.arrived({ socket, source: pending.source, modbusOnly: this.#modbusOnly });
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
      return chooseProtocol(this.#host.snapshot(), servername, protocols, this.#modbusOnly);
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
