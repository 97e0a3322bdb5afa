import { PeerError } from "./errors.ts";

/**
 * The channel's framing: JSON texts, each behind its length.
 *
 *     +--------------------+----------------------+
 *     | length, u32 BE     | JSON, UTF-8          |   length counts the JSON alone, 1..MAX_MESSAGE
 *     +--------------------+----------------------+
 */
export const MAX_MESSAGE = 32 * 1024 * 1024;
const HEADER = 4;

export function encodeFrame(message: unknown): Buffer {
  const json = JSON.stringify(message);
  const length = Buffer.byteLength(json);
  if (length > MAX_MESSAGE) {
    throw new PeerError("message-size", `a message of ${length} bytes is over the channel's ${MAX_MESSAGE}`);
  }
  const frame = Buffer.allocUnsafe(HEADER + length);
  frame.writeUInt32BE(length, 0);
  frame.write(json, HEADER);
  return frame;
}

/** Collects a stream of chunks and gives the JSON values that are whole. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #held = 0;
  #need = HEADER;

  push(chunk: Buffer): unknown[] {
    this.#chunks.push(chunk);
    this.#held += chunk.length;
    if (this.#held < this.#need) return [];
    let bytes = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks);
    const messages: unknown[] = [];
    this.#need = HEADER;
    while (bytes.length >= HEADER) {
      const length = bytes.readUInt32BE(0);
      if (length < 1 || length > MAX_MESSAGE) {
        throw new PeerError(
          "message-size",
          `a message of ${length} bytes; the channel takes 1 to ${MAX_MESSAGE}`,
        );
      }
      this.#need = HEADER + length;
      if (bytes.length < this.#need) break;
      messages.push(parse(bytes.toString("utf8", HEADER, this.#need)));
      bytes = bytes.subarray(this.#need);
      this.#need = HEADER;
    }
    this.#chunks = bytes.length > 0 ? [bytes] : [];
    this.#held = bytes.length;
    return messages;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new PeerError("message-json", "a message on the channel is not JSON", undefined, { cause: error });
  }
}
