import type { Socket } from "node:net";
import { PeerError } from "../base/index.ts";
import {
  decodeRequest,
  encodeException,
  FrameBuffer,
  MBAP_HEADER,
  MBAP_MAX_FRAME,
  transactionId,
  unitId,
  writeHeader,
  type Operation,
} from "../modbus/index.ts";
import type { Refused } from "./modbus-request.ts";

/** Requests answered, and milliseconds waited for them, before the connection is closed. */
export const MAX_ANSWERS = 32;
const PATIENCE = 10_000;

/**
 * A Modbus client who is known, and who may not open this service. It is no failure of the handshake (MODBUS/TCP
 * Security R-23): each request is answered with the denial's exception, whatever it asks, so that the engineer's own tool
 * says "illegal function" and not "connection lost". Nothing here knows a machine. `asked` is told of each request that the
 * specification allows.
 */
export function answerDenied(socket: Socket, refused: Refused, asked: (operation: Operation) => void): void {
  const frames = new FrameBuffer();
  let answers = 0;
  const timer = setTimeout(() => socket.destroy(), PATIENCE);
  socket.once("close", () => clearTimeout(timer));
  socket.on("data", (chunk: Buffer) => {
    if (socket.destroyed) return;
    try {
      frames.push(chunk);
      while (!socket.destroyed && frames.next()) answer(frames.bytes, frames.start, frames.end);
    } catch (error) {
      if (!(error instanceof PeerError)) throw error;
      socket.destroy();
    }
  });

  function answer(bytes: Uint8Array, start: number, end: number): void {
    const unit = unitId(bytes, start);
    const operation = decoded(unit, bytes, start + MBAP_HEADER, end);
    if (operation !== null) asked(operation);
    const out = Buffer.alloc(MBAP_MAX_FRAME);
    const length = encodeException(bytes[start + MBAP_HEADER] ?? 0, refused.exception, out, MBAP_HEADER);
    writeHeader(out, 0, transactionId(bytes, start), unit, length - MBAP_HEADER);
    answers++;
    if (answers < MAX_ANSWERS) socket.write(out.subarray(0, length));
    else socket.end(out.subarray(0, length), () => socket.destroy());
  }
}

/** Null: no request that the specification allows. */
function decoded(unit: number, bytes: Uint8Array, start: number, end: number): Operation | null {
  try {
    return decodeRequest(unit, bytes, start, end);
  } catch (error) {
    if (error instanceof PeerError) return null;
    throw error;
  }
}
