/** NTP servers and queries written by the standard's layout, apart from the code under test. */
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import type { After } from "../../../src/gateway/ntp-exchange.ts";
import { freePort } from "../../support/ports.ts";
import type { Teardown } from "../../support/processes.ts";

/** Seconds from 1900 to 1970. */
const EPOCH = 2_208_988_800;

/** Milliseconds since 1970 in NTP's 64 bits. */
export function ntpTime(milliseconds: number): Buffer {
  const bytes = Buffer.alloc(8);
  const seconds = Math.floor(milliseconds / 1000);
  bytes.writeUInt32BE((seconds + EPOCH) % 2 ** 32, 0);
  bytes.writeUInt32BE(Math.floor(((milliseconds / 1000 - seconds) * 2 ** 32) % 2 ** 32), 4);
  return bytes;
}

/** Of a field of 8 bytes, milliseconds since 1970. */
export function unixTime(bytes: Buffer, at: number): number {
  return (bytes.readUInt32BE(at) - EPOCH + bytes.readUInt32BE(at + 4) / 2 ** 32) * 1000;
}

export interface ServerSays {
  /** First byte: leap, version 4, mode 4. */
  readonly bits?: number;
  readonly stratum?: number;
  readonly rootDelay?: number;
  readonly rootDispersion?: number;
  readonly reference?: string;
  /** Milliseconds it is off from this computer's clock. */
  readonly off?: number;
  /** Changes the reply before it is sent. */
  readonly change?: (reply: Buffer, query: Buffer) => void;
  /** Another reply after it. */
  readonly next?: ServerSays;
}

export interface TestServer {
  readonly port: number;
  readonly queries: Buffer[];
}

/** Whoever waits for a reply waits until the test says that the time for it is over. */
export class Waits {
  readonly #waiting = new Set<() => void>();

  readonly after: After = (_, call) => {
    this.#waiting.add(call);
    return () => void this.#waiting.delete(call);
  };

  over(): void {
    for (const call of this.#waiting) call();
  }
}

/** At `address`, loopback, port 0 for one of its own; `says` null: it stays silent. */
export async function ntpServer(
  t: Teardown,
  address: string,
  port: number,
  says: () => ServerSays | null,
): Promise<TestServer> {
  const queries: Buffer[] = [];
  const socket: Socket = createSocket("udp4");
  t.teardown(() => void socket.close());
  socket.on("message", (query, from) => {
    queries.push(Buffer.from(query));
    for (let said = says(); said; said = said.next ?? null) answer(said, query, from);
  });
  const answer = (said: ServerSays, query: Buffer, from: RemoteInfo): void => {
    const now = ntpTime(Date.now() + (said.off ?? 0));
    const reply = Buffer.alloc(48);
    reply[0] = said.bits ?? 0x24;
    reply[1] = said.stratum ?? 2;
    reply.writeInt8(-20, 3);
    reply.writeUInt32BE(said.rootDelay ?? 0, 4);
    reply.writeUInt32BE(said.rootDispersion ?? 0, 8);
    reply.write(said.reference ?? "GPS\0", 12, "latin1");
    now.copy(reply, 16);
    query.copy(reply, 24, 40, 48);
    now.copy(reply, 32);
    now.copy(reply, 40);
    said.change?.(reply, query);
    socket.send(reply, from.port, from.address);
  };
  const own = port === 0 ? await freePort() : port;
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.bind(own, address, resolve);
  });
  return { port: socket.address().port, queries };
}

/** A client's query; `transmit` is 8 bytes. */
export function ntpQuery(transmit: Buffer, bits = 0x23, poll = 6): Buffer {
  const query = Buffer.alloc(48);
  query[0] = bits;
  query[2] = poll;
  transmit.copy(query, 40);
  return query;
}
