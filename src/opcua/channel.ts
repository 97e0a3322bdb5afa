/**
 * A secure channel without security (OPC 10000-6, 6.7.2; SecurityPolicy None), as finding endpoints needs it.
 *
 *   OPN       | channel u32 | policy String | certificate (null) | thumbprint (null) | sequence u32 | request u32 | body |
 *   MSG, CLO  | channel u32 | token u32 |                                              sequence u32 | request u32 | body |
 *
 * Chunks of the server count their sequence by one (6.7.2.4), over OPN and MSG alike.
 */
import { PeerError } from "../base/index.ts";
import { UaReader } from "./reader.ts";
import { decodeError, encodeChunk, MAX_CHUNKS, MAX_UA_MESSAGE, statusText, type Chunk } from "./transport.ts";
import { string, u32, type Part } from "./writer.ts";

export const POLICY_NONE = "http://opcfoundation.org/UA/SecurityPolicy#None";

export interface ChannelIds {
  readonly channel: number;
  readonly token: number;
}

export function encodeOpen(sequence: number, request: number, body: readonly Part[]): Buffer {
  return encodeChunk("OPN", [
    u32(0),
    string(POLICY_NONE),
    string(null),
    string(null),
    u32(sequence, request),
    ...body,
  ]);
}

export function encodeMessage(
  type: "MSG" | "CLO",
  ids: ChannelIds,
  sequence: number,
  request: number,
  body: readonly Part[],
): Buffer {
  return encodeChunk(type, [u32(ids.channel, ids.token, sequence, request), ...body]);
}

/**
 * Puts a server's answers together. PeerError `opcua-error` (the server's own), `opcua-answer`, `opcua-sequence`, `opcua-message`,
 * `truncated`.
 */
export class Answers {
  #sequence: number | null = null;
  #parts: Uint8Array[] = [];
  #bytes = 0;

  /** The body of the answer to OPN. */
  open(chunk: Chunk, request: number): Uint8Array {
    const reader = this.#expect(chunk, "OPN");
    reader.u32("the channel");
    const policy = reader.string("the security policy");
    if (policy !== POLICY_NONE)
      throw new PeerError(
        "opcua-answer",
        `the server opened a channel of policy ${(policy ?? "").slice(0, 200)}`,
      );
    // With SecurityPolicy None both are null; some servers write them empty.
    for (const what of ["the certificate", "the thumbprint"]) {
      if ((reader.byteString(what)?.length ?? 0) > 0)
        throw new PeerError("opcua-answer", `${what} is there in a channel without security`);
    }
    this.#count(reader, request);
    return reader.bytes(reader.remaining, "the body");
  }

  /** The body of the answer to MSG once its last chunk is here; null until then. */
  message(chunk: Chunk, ids: ChannelIds, request: number): Uint8Array | null {
    const reader = this.#expect(chunk, "MSG");
    const channel = reader.u32("the channel");
    const token = reader.u32("the token");
    if (channel !== ids.channel || token !== ids.token)
      throw new PeerError(
        "opcua-answer",
        `an answer in channel ${channel}, token ${token}, which is not ours`,
      );
    this.#count(reader, request);
    const part = reader.bytes(reader.remaining, "the body");
    if (chunk.mark === "A") throw aborted(part);
    this.#bytes += part.length;
    if (this.#bytes > MAX_UA_MESSAGE || this.#parts.length >= MAX_CHUNKS) {
      throw new PeerError(
        "opcua-message",
        `an answer of more than ${MAX_UA_MESSAGE} bytes or ${MAX_CHUNKS} chunks, the limits`,
      );
    }
    this.#parts.push(part);
    if (chunk.mark === "C") return null;
    const body = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#bytes = 0;
    return body;
  }

  #expect(chunk: Chunk, type: string): UaReader {
    if (chunk.type === "ERR") throw decodeError(chunk.body);
    if (chunk.type !== type)
      throw new PeerError("opcua-answer", `the server sent ${chunk.type} where ${type} was to come`);
    return new UaReader(chunk.body);
  }

  #count(reader: UaReader, request: number): void {
    const sequence = reader.u32("the sequence number");
    const answered = reader.u32("the request id");
    if (this.#sequence !== null && sequence !== this.#sequence + 1) {
      throw new PeerError("opcua-sequence", `sequence number ${sequence} came after ${this.#sequence}`);
    }
    this.#sequence = sequence;
    if (answered !== request)
      throw new PeerError("opcua-answer", `an answer to request ${answered}, asked was ${request}`);
  }
}

function aborted(body: Uint8Array): PeerError {
  const reader = new UaReader(body);
  const status = reader.u32("the status code");
  const reason = reader.string("the reason") ?? "";
  return new PeerError("opcua-error", `the server gave up: ${statusText(status)} ${reason.slice(0, 200)}`);
}
