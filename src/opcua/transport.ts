/**
 * OPC UA Connection Protocol (OPC 10000-6, 7.1.2): messages as they lie on TCP, all little-endian.
 *
 *   0        3       4           8
 *   +--------+-------+-----------+-----------------+
 *   | type   | chunk | size u32  | body            |      size counts all of it, 8..65,536 here
 *   +--------+-------+-----------+-----------------+
 *   HEL  | version | receive buffer | send buffer | max message | max chunks | endpoint URL |
 *   ACK  | version | receive buffer | send buffer | max message | max chunks |
 *   ERR  | status code | reason |
 *   chunk: F final, C more follow, A aborted; HEL, ACK, ERR and OPN are always final
 */
import { BugError, PeerError } from "../base/index.ts";
import { UaReader } from "./reader.ts";
import { string, u32, type Part } from "./writer.ts";

export const UA_HEADER = 8;
/** Bytes of a chunk that niac takes and sends at most; the least that may be agreed on is 8,192. */
export const MAX_CHUNK = 65_536;
const MIN_BUFFER = 8_192;
/** Bytes of all bodies of a message, and its chunks. */
export const MAX_UA_MESSAGE = 1024 * 1024;
export const MAX_CHUNKS = 256;
/** Bytes of an endpoint URL (7.1.2.3). */
const MAX_URL = 4_095;

const TYPES: ReadonlySet<string> = new Set(["HEL", "ACK", "ERR", "OPN", "MSG", "CLO"]);

export interface Chunk {
  readonly type: string;
  readonly mark: "F" | "C" | "A";
  /** What comes after the header; a view of the stream's bytes. */
  readonly body: Uint8Array;
}

/** Bytes of the chunk that begins with these, or 0 where its header is not whole. PeerError `opcua-type`, `opcua-size`. */
export function chunkLength(bytes: Uint8Array): number {
  const type = Buffer.from(bytes.subarray(0, 3)).toString("latin1");
  if (bytes.length >= 3 && !TYPES.has(type)) {
    throw new PeerError(
      "opcua-type",
      `a message begins with ${JSON.stringify(type)}, which OPC UA does not know`,
    );
  }
  if (bytes.length < UA_HEADER) return 0;
  const size = new UaReader(bytes.subarray(4)).u32("the size");
  if (size < UA_HEADER || size > MAX_CHUNK)
    throw new PeerError("opcua-size", `a chunk of ${size} bytes; allowed is ${UA_HEADER}..${MAX_CHUNK}`);
  return size;
}

/** All of `bytes` is one chunk, of the length that chunkLength gave. PeerError `opcua-chunk`. */
export function decodeChunk(bytes: Uint8Array): Chunk {
  if (chunkLength(bytes) !== bytes.length)
    throw new BugError("opcua-chunk", `${bytes.length} bytes are not one whole chunk`);
  const type = Buffer.from(bytes.subarray(0, 3)).toString("latin1");
  const mark = String.fromCharCode(bytes[3] ?? 0);
  const allowed = type === "MSG" ? mark === "F" || mark === "C" || mark === "A" : mark === "F";
  if (!allowed || (mark !== "F" && mark !== "C" && mark !== "A")) {
    throw new PeerError("opcua-chunk", `a message ${type} is marked ${JSON.stringify(mark)}`);
  }
  return { type, mark, body: bytes.subarray(UA_HEADER) };
}

export function encodeChunk(type: string, parts: readonly Part[]): Buffer {
  const body = Buffer.concat(parts);
  const size = UA_HEADER + body.length;
  if (type.length !== 3 || size > MIN_BUFFER)
    throw new BugError("opcua-encode", `a chunk ${type} of ${size} bytes; niac sends ${MIN_BUFFER} at most`);
  return Buffer.concat([Buffer.from(`${type}F`, "latin1"), u32(size), body]);
}

export function encodeHello(endpointUrl: string): Buffer {
  if (Buffer.byteLength(endpointUrl) > MAX_URL)
    throw new BugError("opcua-encode", `an endpoint URL of more than ${MAX_URL} bytes`);
  return encodeChunk("HEL", [u32(0, MAX_CHUNK, MAX_CHUNK, MAX_UA_MESSAGE, MAX_CHUNKS), string(endpointUrl)]);
}

/** PeerError `opcua-acknowledge` where the server's buffers are smaller than the standard's least. */
export function decodeAcknowledge(body: Uint8Array): void {
  const reader = new UaReader(body);
  reader.u32("the version");
  const receives = reader.u32("the receive buffer");
  const sends = reader.u32("the send buffer");
  reader.u32("the greatest message");
  reader.u32("the most chunks");
  reader.finish("ACK");
  if (receives < MIN_BUFFER || sends < MIN_BUFFER || sends > MAX_CHUNK) {
    throw new PeerError(
      "opcua-acknowledge",
      `the server's buffers are ${receives} and ${sends} bytes; allowed is ${MIN_BUFFER}..${MAX_CHUNK}`,
    );
  }
}

/** The server's complaint as the error it is: PeerError `opcua-error`. */
export function decodeError(body: Uint8Array): PeerError {
  const reader = new UaReader(body);
  const status = reader.u32("the status code");
  const reason = reader.string("the reason") ?? "";
  reader.finish("ERR");
  return new PeerError("opcua-error", `the server answered ${statusText(status)}: ${reason.slice(0, 200)}`);
}

export function statusText(status: number): string {
  return `status 0x${status.toString(16).padStart(8, "0").toUpperCase()}`;
}
