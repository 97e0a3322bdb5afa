/**
 * The few Modbus TCP frames the bench sends and expects, apart from src/modbus: what measures niac must not lean on niac,
 * and the peers' replies are checked by the same code.
 *
 *   transaction id (2) | protocol id 0 (2) | length (2) | unit (1) | function (1) | ...     all big-endian
 */

/** Addresses below it hold `registerValue` and are only read; writes go to it and above. */
export const WRITTEN_FROM = 200;
/** Registers of one read, function 3. */
export const READ_QUANTITY = 10;
const UNIT = 1;
const READ_HOLDING_REGISTERS = 3;
const WRITE_SINGLE_REGISTER = 6;
const REQUEST_LENGTH = 12;
const READ_REPLY_LENGTH = 9 + 2 * READ_QUANTITY;
const HIGHEST_READ_ADDRESS = 90;
/** Written values stay within what the bench's grant allows, so a value limit is checked and passes. */
export const HIGHEST_WRITTEN_VALUE = 999;

export type Kind = "read" | "write";

/** What the machine holds at an address before anybody writes. */
export function registerValue(address: number): number {
  return (address * 257 + 13) & 0xffff;
}

/** One session's request, written in place, and the check of its reply. A session has one request open at a time. */
export class Exchange {
  readonly request = Buffer.alloc(REQUEST_LENGTH);
  readonly replyLength: number;
  readonly #kind: Kind;
  #transaction = 0;
  #address = 0;

  constructor(kind: Kind) {
    this.#kind = kind;
    this.replyLength = kind === "read" ? READ_REPLY_LENGTH : REQUEST_LENGTH;
    this.request[5] = 6;
    this.request[6] = UNIT;
    this.request[7] = kind === "read" ? READ_HOLDING_REGISTERS : WRITE_SINGLE_REGISTER;
  }

  /** Makes the next request: another transaction id, another address. */
  next(): Buffer {
    this.#transaction = (this.#transaction + 1) & 0xffff;
    this.#address = (this.#transaction * 7) % HIGHEST_READ_ADDRESS;
    const { request } = this;
    request[0] = this.#transaction >> 8;
    request[1] = this.#transaction & 0xff;
    if (this.#kind === "read") {
      request[9] = this.#address;
      request[11] = READ_QUANTITY;
    } else {
      const value = this.#transaction % (HIGHEST_WRITTEN_VALUE + 1);
      request[9] = WRITTEN_FROM + (this.#address % 40);
      request[10] = value >> 8;
      request[11] = value & 0xff;
    }
    return request;
  }

  /** What is wrong with the reply that starts at `at`, or null. A wrong reply ends the bench: speed of wrong answers is none. */
  fault(bytes: Uint8Array, at: number): string | null {
    const { request } = this;
    const header = at + 7;
    if (bytes[at] !== request[0] || bytes[at + 1] !== request[1]) return "another transaction id";
    if (bytes[header] !== request[7]) return `function ${bytes[header]}, exception ${bytes[header + 1]}`;
    if (this.#kind === "write") {
      for (let i = 2; i < REQUEST_LENGTH; i++) {
        if (bytes[at + i] !== request[i]) return "a write's reply that does not repeat the request";
      }
      return null;
    }
    if (bytes[at + 4] !== 0 || bytes[at + 5] !== READ_REPLY_LENGTH - 6) return "another length";
    if (bytes[header + 1] !== 2 * READ_QUANTITY) return `byte count ${bytes[header + 1]}`;
    for (let i = 0; i < READ_QUANTITY; i++) {
      const value = registerValue(this.#address + i);
      const place = header + 2 + 2 * i;
      if (bytes[place] !== value >> 8 || bytes[place + 1] !== (value & 0xff)) {
        return `another value at register ${this.#address + i}`;
      }
    }
    return null;
  }
}

/**
 * The machine's side: answers every whole request in `bytes` (functions 3, 6 and 16; else exception 01) and says how many bytes
 * it used. Several requests may come in one segment; what is left over waits for its rest.
 */
export function answer(
  bytes: Buffer,
  registers: Uint16Array,
): { readonly replies: Buffer; readonly used: number } {
  const replies: Buffer[] = [];
  let at = 0;
  while (bytes.length - at >= 8) {
    const end = at + 6 + bytes.readUInt16BE(at + 4);
    if (end > bytes.length) break;
    replies.push(answerOne(bytes.subarray(at, end), registers));
    at = end;
  }
  return { replies: replies.length === 1 ? replies[0]! : Buffer.concat(replies), used: at };
}

function answerOne(request: Buffer, registers: Uint16Array): Buffer {
  const code = request[7]!;
  if (code === READ_HOLDING_REGISTERS && request.length === REQUEST_LENGTH)
    return readReply(request, registers);
  if (code === WRITE_SINGLE_REGISTER && request.length === REQUEST_LENGTH) {
    registers[request.readUInt16BE(8)] = request.readUInt16BE(10);
    return Buffer.from(request);
  }
  if (code === 16 && request.length === 13 + 2 * request.readUInt16BE(10)) {
    const address = request.readUInt16BE(8);
    for (let i = 0; 13 + 2 * i < request.length; i++)
      registers[address + i] = request.readUInt16BE(13 + 2 * i);
    const reply = Buffer.from(request.subarray(0, REQUEST_LENGTH));
    reply.writeUInt16BE(6, 4);
    return reply;
  }
  return Buffer.from([request[0]!, request[1]!, 0, 0, 0, 3, request[6]!, code | 0x80, 1]);
}

function readReply(request: Buffer, registers: Uint16Array): Buffer {
  const address = request.readUInt16BE(8);
  const quantity = request.readUInt16BE(10);
  const reply = Buffer.allocUnsafe(9 + 2 * quantity);
  request.copy(reply, 0, 0, 4);
  reply.writeUInt16BE(3 + 2 * quantity, 4);
  reply[6] = request[6]!;
  reply[7] = READ_HOLDING_REGISTERS;
  reply[8] = 2 * quantity;
  for (let i = 0; i < quantity; i++) reply.writeUInt16BE(registers[address + i] ?? 0, 9 + 2 * i);
  return reply;
}
