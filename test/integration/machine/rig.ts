/** A Modbus machine that does exactly what a test tells it, on a loopback port, and a port of niac's to it. */
import { createServer, type Server, type Socket } from "node:net";
import type { ExecutionContext } from "ava";
import { Flusher, type MachinePort } from "../../../src/machine/index.ts";
import { TcpPort, type TcpPortOptions } from "../../../src/machine/tcp-port.ts";
import { freePort } from "../../support/ports.ts";
import { AheadClock } from "../../unit/machine/requests.ts";

/** One request as the machine saw it. */
export interface Seen {
  readonly id: number;
  readonly unit: number;
  readonly pdu: Buffer;
  readonly socket: Socket;
  /** Counts the machine's connections from 0. */
  readonly connection: number;
}

/** A frame: MBAP header and PDU. `changes` makes it a wrong one. */
export function frame(
  id: number,
  unit: number,
  pdu: Uint8Array,
  changes: { protocol?: number; length?: number } = {},
): Buffer {
  const bytes = Buffer.alloc(7 + pdu.length);
  bytes.writeUInt16BE(id, 0);
  bytes.writeUInt16BE(changes.protocol ?? 0, 2);
  bytes.writeUInt16BE(changes.length ?? pdu.length + 1, 4);
  bytes[6] = unit;
  bytes.set(pdu, 7);
  return bytes;
}

/** What a machine answers whose registers hold their own addresses. */
export function goodPdu(request: Buffer): Buffer {
  if (request[0] !== 3) return request.subarray(0, 5);
  const [address, quantity] = [request.readUInt16BE(1), request.readUInt16BE(3)];
  const pdu = Buffer.alloc(2 + 2 * quantity);
  pdu[0] = 3;
  pdu[1] = 2 * quantity;
  for (let i = 0; i < quantity; i++) pdu.writeUInt16BE(address + i, 2 + 2 * i);
  return pdu;
}

export function goodReply(seen: Seen): Buffer {
  return frame(seen.id, seen.unit, goodPdu(seen.pdu));
}

export class Machine {
  readonly seen: Seen[] = [];
  readonly sockets = new Set<Socket>();
  connections = 0;
  port = 0;
  /** What to do with a request; at first, to answer it well. */
  onRequest: (seen: Seen) => void = (seen) => seen.socket.write(goodReply(seen));
  #server: Server | null = null;
  #waiting: Array<{ readonly count: number; readonly resolve: () => void }> = [];

  static async start(t: ExecutionContext): Promise<Machine> {
    const machine = new Machine();
    await machine.listen();
    t.teardown(() => machine.stop());
    return machine;
  }

  /** On the port it had before, where it had one. */
  async listen(): Promise<void> {
    this.port ||= await freePort();
    const server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(this.port, "127.0.0.1", resolve);
    });
    this.#server = server;
  }

  /** Takes no more connections; those it has stay. */
  deaf(): void {
    this.#server?.close();
    this.#server = null;
  }

  stop(): void {
    this.deaf();
    this.hangUp();
  }

  hangUp(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  /** Resolves once so many requests have come in all. */
  async saw(count: number): Promise<void> {
    if (this.seen.length >= count) return;
    await new Promise<void>((resolve) => this.#waiting.push({ count, resolve }));
  }

  #accept(socket: Socket): void {
    const connection = this.connections++;
    this.sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.sockets.delete(socket));
    let bytes = Buffer.alloc(0);
    socket.on("data", (chunk) => {
      bytes = Buffer.concat([bytes, chunk]);
      while (bytes.length >= 6 && bytes.length >= 6 + bytes.readUInt16BE(4)) {
        const end = 6 + bytes.readUInt16BE(4);
        const seen = {
          id: bytes.readUInt16BE(0),
          unit: bytes[6]!,
          pdu: bytes.subarray(7, end),
          socket,
          connection,
        };
        bytes = bytes.subarray(end);
        this.seen.push(seen);
        this.onRequest(seen);
        for (const each of this.#waiting) if (this.seen.length >= each.count) each.resolve();
      }
    });
  }
}

export interface PortUnderTest {
  readonly port: MachinePort;
  readonly clock: AheadClock;
  /** `true`/`false`: the circuit closed or opened; text: a violation. */
  readonly events: Array<boolean | string>;
}

export function openTcp(
  t: ExecutionContext,
  to: number,
  options: Partial<TcpPortOptions> = {},
): PortUnderTest {
  const clock = new AheadClock();
  const events: Array<boolean | string> = [];
  const port = new TcpPort(
    {
      name: "press-4",
      tcp: { host: "127.0.0.1", port: to },
      maxConnections: 1,
      maxPending: 1,
      maxQueued: 100,
      requestTimeout: 10_000,
      queueTimeout: 10_000,
      ...options,
    },
    { requests: new Flusher(), answers: new Flusher() },
    clock,
    { circuit: (working) => events.push(working), violation: (reason) => events.push(reason) },
  );
  t.teardown(() => port.close());
  return { port, clock, events };
}

/** Longer than any pause of the circuit. */
export const PAUSE_OVER = 60_000;
