/** A Modbus/TCP Security client of the tests' own: TLS by Node, frames by hand, so that a test can also send what no good client would. */
import { connect as connectTcp } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { APPLIANCE, type Appliance } from "./appliance.ts";
import type { Credential } from "./pki.ts";

/** `exception` 0: done, and `values` are what was read. */
export interface Answer {
  readonly exception: number;
  readonly values: readonly number[];
}

export interface ClientOptions {
  /** Null: none is sent. */
  readonly credential: Pick<Credential, "chainPem" | "keyPem"> | null;
  /** PEM of whom the server must come from; default: the test's own root. */
  readonly ca?: string;
  /** What is asked for by SNI, without the appliance's name; default `modbus.press-4`. */
  readonly service?: string;
  /** Local address to connect from. */
  readonly source?: string;
  readonly port?: number;
}

interface Waiting {
  readonly resolve: (pdu: Buffer) => void;
  readonly reject: (error: Error) => void;
}

const HEADER = 7;

export class ModbusClient {
  readonly socket: TLSSocket;
  readonly #waiting = new Map<number, Waiting>();
  #received = Buffer.alloc(0);
  #next = 0;
  #ended: Error | null = null;

  private constructor(socket: TLSSocket) {
    this.socket = socket;
    socket.on("data", (chunk) => this.#data(chunk));
    socket.on("error", (error) => this.#end(error));
    socket.on("close", () => this.#end(new Error("the connection was closed")));
  }

  /** Resolves after the handshake: with TLS 1.3 that is before the appliance has judged the certificate. */
  static connect(bed: Appliance, options: ClientOptions): Promise<ModbusClient> {
    const { credential, service = "modbus.press-4", source, port = bed.modbusPort } = options;
    const { ca = bed.root.certPem } = options;
    const tcp = connectTcp({
      host: "127.0.0.1",
      port,
      ...(source === undefined ? {} : { localAddress: source }),
    });
    return new Promise((resolve, reject) => {
      const socket = connect({
        socket: tcp,
        servername: `${service}.${APPLIANCE}`,
        ca,
        ...(credential ? { cert: credential.chainPem, key: credential.keyPem } : {}),
      });
      tcp.once("error", reject);
      socket.once("error", reject);
      socket.once("close", () => reject(new Error("the connection was closed in the handshake")));
      socket.once("secureConnect", () => {
        tcp.off("error", reject);
        socket.off("error", reject);
        resolve(new ModbusClient(socket));
      });
    });
  }

  get ended(): boolean {
    return this.#ended !== null;
  }

  /** Sends a PDU and resolves with the answer's; rejects where the connection ends before. */
  request(pdu: Buffer, unit = 1): Promise<Buffer> {
    if (this.#ended) return Promise.reject(this.#ended);
    const id = this.#next;
    this.#next = (id + 1) & 0xffff;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.socket.write(frame(id, unit, pdu));
    });
  }

  /** Holding registers, function 3. */
  async read(address: number, quantity = 1, unit = 1): Promise<Answer> {
    const answer = await this.request(words(3, address, quantity), unit);
    if (answer.readUInt8(0) !== 3) return refused(answer);
    const values = Array.from({ length: quantity }, (_, i) => answer.readUInt16BE(2 + 2 * i));
    return { exception: 0, values };
  }

  /** One holding register, function 6. */
  async write(address: number, value: number, unit = 1): Promise<Answer> {
    return this.#plain(words(6, address, value), unit);
  }

  /** Holding registers, function 16. */
  async writeMany(address: number, values: readonly number[], unit = 1): Promise<Answer> {
    const head = Buffer.concat([words(16, address, values.length), Buffer.of(values.length * 2)]);
    return this.#plain(Buffer.concat([head, ...values.map((value) => words(0, value).subarray(1))]), unit);
  }

  /** Register becomes (register AND and) OR (or AND NOT and), function 22. */
  async mask(address: number, and: number, or: number, unit = 1): Promise<Answer> {
    return this.#plain(words(22, address, and, or), unit);
  }

  close(): void {
    this.socket.destroy();
  }

  async #plain(pdu: Buffer, unit: number): Promise<Answer> {
    const answer = await this.request(pdu, unit);
    return answer.readUInt8(0) === pdu.readUInt8(0) ? { exception: 0, values: [] } : refused(answer);
  }

  #data(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    for (;;) {
      if (this.#received.length < HEADER) return;
      const end = 6 + this.#received.readUInt16BE(4);
      if (this.#received.length < end) return;
      const id = this.#received.readUInt16BE(0);
      const pdu = this.#received.subarray(HEADER, end);
      this.#received = this.#received.subarray(end);
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (waiting) waiting.resolve(pdu);
      else this.socket.destroy(new Error(`an answer to transaction ${id}, which was not asked`));
    }
  }

  #end(error: Error): void {
    this.#ended ??= error;
    for (const { reject } of this.#waiting.values()) reject(this.#ended);
    this.#waiting.clear();
  }
}

/** A Modbus TCP frame around a PDU. */
export function frame(id: number, unit: number, pdu: Buffer): Buffer {
  const header = Buffer.alloc(HEADER);
  header.writeUInt16BE(id, 0);
  header.writeUInt16BE(pdu.length + 1, 4);
  header.writeUInt8(unit, 6);
  return Buffer.concat([header, pdu]);
}

/** A function code, then 16-bit words. */
export function words(code: number, ...values: readonly number[]): Buffer {
  const pdu = Buffer.alloc(1 + 2 * values.length);
  pdu.writeUInt8(code, 0);
  for (const [i, value] of values.entries()) pdu.writeUInt16BE(value, 1 + 2 * i);
  return pdu;
}

function refused(answer: Buffer): Answer {
  return { exception: answer.readUInt8(1), values: [] };
}
