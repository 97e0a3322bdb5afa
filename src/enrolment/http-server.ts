/** HTTPS for enrolment: one bounded request a connection, answered whole. What a client's certificate is worth is judged by who answers. */
import { constants } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { TLSSocket, type SecureContextOptions } from "node:tls";
import { BugError, systemCode, UnavailableError, TLS_CIPHERS, TLS_GROUPS } from "../base/index.ts";
import { peerOf } from "../identity/index.ts";
import { Connections, MAX_CONNECTIONS, sourceOf } from "./http-limits.ts";
import { refusalReply, type HttpQuestion, type HttpReply } from "./http-reply.ts";

/** PEM. The certificate comes with its chain. */
export interface ServerMaterial {
  readonly certificate: string;
  readonly key: string;
}

export interface HttpServerParts {
  /** Never rejects, but for a fault of niac's own. */
  answer(question: HttpQuestion): Promise<HttpReply>;
  /** Told of what ended without an answer of `answer`: a body too large, a method that is none. */
  refused(address: string, source: string, reason: string): void;
  fault(error: unknown): void;
}

/** Bytes of a body before anything is decoded. */
export const MAX_BODY = 65_536;
const MAX_HEADER = 8_192;
const MAX_HEADERS = 50;
/** Milliseconds. */
const HANDSHAKE = 10_000;
const HEADER = 10_000;
const REQUEST = 15_000;
const LOOK = 1_000;
/** From its beginning to its end, whatever happens on it: an authority behind this one may take its time. */
const CONNECTION = 90_000;
/** How long what is too much is read and thrown away, so that the client reads why. */
const DRAIN = 2_000;

function contextOptions({ certificate, key }: ServerMaterial, clientCa: string): SecureContextOptions {
  return {
    cert: certificate,
    key,
    ca: clientCa,
    minVersion: "TLSv1.2",
    ciphers: TLS_CIPHERS,
    honorCipherOrder: true,
    ecdhCurve: TLS_GROUPS,
    secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
  };
}

export class HttpServer {
  readonly #parts: HttpServerParts;
  readonly #server: Server;
  readonly #connections = new Connections();

  /** `clientCa`: PEM of the authorities whose clients may verify. Throws what OpenSSL says of unusable material. */
  constructor(parts: HttpServerParts, material: ServerMaterial, clientCa: string) {
    this.#parts = parts;
    this.#server = createServer({
      ...contextOptions(material, clientCa),
      // Refused certificates are taken this far so that the answer and the record can say who it was and why.
      requestCert: true,
      rejectUnauthorized: false,
      handshakeTimeout: HANDSHAKE,
      maxHeaderSize: MAX_HEADER,
      headersTimeout: HEADER,
      requestTimeout: REQUEST,
      connectionsCheckingInterval: LOOK,
      keepAlive: false,
    });
    this.#server.maxHeadersCount = MAX_HEADERS;
    this.#server.setTimeout(CONNECTION);
    this.#server.on("connection", (socket: Socket) => this.#enter(socket));
    this.#server.on("tlsClientError", (_error, socket) => socket.destroy());
    this.#server.on("clientError", (error, socket) => this.#broken(error, socket));
    this.#server.on("request", (request, response) => void this.#serve(request, response));
    // Without this, Node says "go on" to a client before its length was looked at.
    this.#server.on("checkContinue", (request, response) => {
      if (lengthOf(request) <= MAX_BODY) response.writeContinue();
      void this.#serve(request, response);
    });
  }

  /** Resolves to the port. Rejects with an UnavailableError that names the address. */
  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", (error) => {
        const where = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
        reject(
          new UnavailableError(
            "listen-enroll",
            `laptops cannot enrol: ${where} cannot be listened on (${systemCode(error)})`,
            "Stop what listens there, or set NIAC_LISTEN_ENROLL to another address and port.",
            { cause: error },
          ),
        );
      });
      this.#server.listen({ host, port, backlog: 4 * MAX_CONNECTIONS }, () => {
        const address = this.#server.address();
        resolve(typeof address === "object" && address !== null ? address.port : port);
      });
    });
  }

  /** For connections from now on. Throws what OpenSSL says of unusable material, and goes on with what it had. */
  setMaterial(material: ServerMaterial, clientCa: string): void {
    this.#server.setSecureContext(contextOptions(material, clientCa));
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    this.#connections.cutAll();
    await closed;
  }

  #enter(socket: Socket): void {
    const { address, source: key } = whence(socket);
    // Where the client was gone before we looked, it has no address and is closing.
    if (address === "" || !this.#connections.enter(key, sourceOf(address), () => socket.destroy())) {
      socket.destroy();
      return;
    }
    const overdue = setTimeout(() => socket.destroy(), CONNECTION);
    socket.once("close", () => {
      clearTimeout(overdue);
      this.#connections.leave(key);
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { socket } = request;
    response.on("error", () => socket.destroy());
    try {
      if (!(socket instanceof TLSSocket)) throw new BugError("http", "a request came without TLS");
      const { address, source } = whence(socket);
      const method = request.method === "HEAD" ? "GET" : request.method;
      if (method !== "GET" && method !== "POST") {
        this.#tooMuch(request, response, 405, `the method ${request.method ?? ""} is none of this server's`);
        return;
      }
      const body = await readBody(request);
      if (body === null) {
        const reason = `the body is longer than the ${MAX_BODY} bytes that are taken`;
        this.#tooMuch(request, response, 413, reason);
        return;
      }
      this.#connections.busy(source);
      const { headersDistinct, url = "" } = request;
      const header = (name: string): string | null => {
        const values = new Set(headersDistinct[name]);
        return values.size === 1 ? [...values].join("") : null;
      };
      const question = { method, path: url, header, body, peer: peerOf(socket), address, source } as const;
      send(response, await this.#parts.answer(question));
      response.end();
    } catch (error) {
      // What remains is a client that broke off in its body, or a fault of ours.
      if (request.destroyed && !request.complete) return;
      this.#parts.fault(error);
      socket.destroy();
    }
  }

  #tooMuch(request: IncomingMessage, response: ServerResponse, status: number, reason: string): void {
    const { address, source } = whence(request.socket);
    this.#parts.refused(address, source, reason);
    const headers = status === 405 ? { Allow: "GET, POST" } : {};
    const advice = "A request for a certificate has some hundred bytes; see RFC 7030.";
    send(response, refusalReply({ status, stage: "request", message: reason, advice, headers }));
    // A client that is still sending must not get a reset before it has read the answer.
    const enough = setTimeout(() => request.socket.destroy(), DRAIN);
    request.once("close", () => clearTimeout(enough));
    request.once("end", () => response.end());
    request.resume();
  }

  #broken(error: Error, socket: Duplex): void {
    if (!socket.writable || systemCode(error) === "ECONNRESET") {
      socket.destroy();
      return;
    }
    const code = systemCode(error);
    const [status, reason] = BROKEN[code] ?? ([400, "this is not HTTP/1.1"] as const);
    const text = `${reason}\nSend one request for each connection, with a header of ${MAX_HEADER} bytes at most.\n`;
    const head = [
      `HTTP/1.1 ${status} Refused`,
      "Content-Type: text/plain; charset=utf-8",
      `Content-Length: ${Buffer.byteLength(text)}`,
      "Connection: close",
    ];
    socket.end(`${head.join("\r\n")}\r\n\r\n${text}`, () => socket.destroy());
  }
}

const BROKEN: Readonly<Record<string, readonly [number, string]>> = {
  HPE_HEADER_OVERFLOW: [431, "the header is too long"],
  ERR_HTTP_REQUEST_TIMEOUT: [408, "the request did not come in time"],
};

function whence(socket: Socket): { address: string; source: string } {
  const address = (socket.remoteAddress ?? "").replace(/^::ffff:(?=\d+\.)/, "");
  const host = address.includes(":") ? `[${address}]` : address;
  return { address, source: `${host}:${socket.remotePort ?? 0}` };
}

function lengthOf(request: IncomingMessage): number {
  return Number(request.headers["content-length"] ?? 0);
}

/** Null: it is longer than MAX_BODY. */
async function readBody(request: IncomingMessage): Promise<Buffer | null> {
  if (lengthOf(request) > MAX_BODY) return null;
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const take = (chunk: Buffer): void => {
      length += chunk.length;
      chunks.push(chunk);
      if (length <= MAX_BODY) return;
      request.off("data", take);
      request.pause();
      resolve(null);
    };
    request.on("data", take);
    request.once("end", () => resolve(Buffer.concat(chunks)));
    request.once("error", reject);
  });
}

/** Whole, with its length and in one piece: strongSwan reads no chunks, and wants the header within its first 1,024 bytes. */
function send(response: ServerResponse, { status, type, body, headers }: HttpReply): void {
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  response.writeHead(status, {
    "Content-Type": type,
    "Content-Length": bytes.length,
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    Connection: "close",
    ...headers,
  });
  response.write(bytes);
}
