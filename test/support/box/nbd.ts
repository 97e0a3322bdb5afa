/**
 * The part of the NBD protocol that QEMU speaks to a disk: fixed newstyle handshake, one export, simple replies.
 *
 *     request   0x25609513  flags:16  type:16  handle:64  offset:64  length:32  [data of a write]
 *     reply     0x67446698  error:32  handle:64                                 [data of a read]
 *
 * https://github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md
 */
const OPTION_MAGIC = Buffer.from("IHAVEOPT");
const REPLY_MAGIC = 0x3e889045565a9n;
const REQUEST_MAGIC = 0x25609513;
const SIMPLE_REPLY_MAGIC = 0x67446698;
const REQUEST_LENGTH = 28;
/** Fixed newstyle, and no zeroes after the oldest way of naming an export. */
const HANDSHAKE_FLAGS = 0b11;
/** There are flags; flush; force unit access. */
const EXPORT_FLAGS = 0b1101;
const OPTION = { abort: 2, go: 7 } as const;
const REPLY = { ack: 1, info: 3, unsupported: 0x80000001 } as const;
const COMMAND = { read: 0, write: 1, disconnect: 2, flush: 3 } as const;
const FORCE_UNIT_ACCESS = 1;
const EINVAL = 22;

/** What the disk does; each returns or throws. Offsets and lengths in bytes. */
export interface Disk {
  readonly size: number;
  read(offset: number, length: number): Buffer;
  /** `force`: it is to be kept when this returns. */
  write(offset: number, data: Buffer, force: boolean): void;
  flush(): void;
}

/** What to send first. */
export function greeting(): Buffer {
  const flags = Buffer.alloc(2);
  flags.writeUInt16BE(HANDSHAKE_FLAGS);
  return Buffer.concat([Buffer.from("NBDMAGIC"), OPTION_MAGIC, flags]);
}

/** One client's stream: takes bytes as they come, answers by `send`. Null is returned when the client has said good-bye. */
export class Conversation {
  readonly #disk: Disk;
  readonly #send: (data: Buffer) => void;
  #bytes: Buffer = Buffer.alloc(0);
  #state: "flags" | "options" | "requests" = "flags";

  constructor(disk: Disk, send: (data: Buffer) => void) {
    this.#disk = disk;
    this.#send = send;
  }

  /** False when it is over. */
  take(more: Buffer): boolean {
    this.#bytes = this.#bytes.length === 0 ? more : Buffer.concat([this.#bytes, more]);
    for (;;) {
      const step =
        this.#state === "flags"
          ? this.#flags()
          : this.#state === "options"
            ? this.#option()
            : this.#request();
      if (step !== "again") return step === "wait";
    }
  }

  #flags(): "again" | "wait" {
    if (this.#bytes.length < 4) return "wait";
    this.#bytes = this.#bytes.subarray(4);
    this.#state = "options";
    return "again";
  }

  #option(): "again" | "wait" | "over" {
    if (this.#bytes.length < 16) return "wait";
    if (!this.#bytes.subarray(0, 8).equals(OPTION_MAGIC)) throw new Error("NBD: not an option");
    const [option, length] = [this.#bytes.readUInt32BE(8), this.#bytes.readUInt32BE(12)];
    if (this.#bytes.length < 16 + length) return "wait";
    this.#bytes = this.#bytes.subarray(16 + length);
    if (option === OPTION.abort) return "over";
    if (option !== OPTION.go) {
      this.#answer(option, REPLY.unsupported);
      return "again";
    }
    const info = Buffer.alloc(12);
    info.writeBigUInt64BE(BigInt(this.#disk.size), 2);
    info.writeUInt16BE(EXPORT_FLAGS, 10);
    this.#answer(option, REPLY.info, info);
    this.#answer(option, REPLY.ack);
    this.#state = "requests";
    return "again";
  }

  #answer(option: number, type: number, data: Buffer = Buffer.alloc(0)): void {
    const head = Buffer.alloc(20);
    head.writeBigUInt64BE(REPLY_MAGIC);
    head.writeUInt32BE(option, 8);
    head.writeUInt32BE(type, 12);
    head.writeUInt32BE(data.length, 16);
    this.#send(Buffer.concat([head, data]));
  }

  #request(): "again" | "wait" | "over" {
    if (this.#bytes.length < REQUEST_LENGTH) return "wait";
    if (this.#bytes.readUInt32BE(0) !== REQUEST_MAGIC) throw new Error("NBD: not a request");
    const [flags, type] = [this.#bytes.readUInt16BE(4), this.#bytes.readUInt16BE(6)];
    const [offset, length] = [Number(this.#bytes.readBigUInt64BE(16)), this.#bytes.readUInt32BE(24)];
    const end = REQUEST_LENGTH + (type === COMMAND.write ? length : 0);
    if (this.#bytes.length < end) return "wait";
    const handle = this.#bytes.subarray(8, 16);
    const data = this.#bytes.subarray(REQUEST_LENGTH, end);
    this.#bytes = this.#bytes.subarray(end);
    if (type === COMMAND.disconnect) return "over";
    let error = 0;
    let out = Buffer.alloc(0);
    if (type !== COMMAND.flush && offset + length > this.#disk.size) error = EINVAL;
    else if (type === COMMAND.read) out = Buffer.from(this.#disk.read(offset, length));
    else if (type === COMMAND.write) this.#disk.write(offset, data, (flags & FORCE_UNIT_ACCESS) !== 0);
    else if (type === COMMAND.flush) this.#disk.flush();
    else error = EINVAL;
    const head = Buffer.alloc(16);
    head.writeUInt32BE(SIMPLE_REPLY_MAGIC);
    head.writeUInt32BE(error, 4);
    handle.copy(head, 8);
    this.#send(Buffer.concat([head, out]));
    return "again";
  }
}
