/** What is tried with each input of the fuzzer: none may throw anything but a PeerError, and none may come out other than it went in. */
import { setFlagsFromString, getHeapStatistics } from "node:v8";
import { runInNewContext } from "node:vm";
import { PeerError } from "../../../src/base/index.ts";
import {
  decodeReply,
  decodeRequest,
  decodeRtu,
  describeOperation,
  effect,
  encodeReply,
  encodeRequest,
  encodeRtu,
  expectedReplyLength,
  FrameBuffer,
  MAX_PDU,
  MBAP_HEADER,
  MBAP_MAX_FRAME,
  type Operation,
  RTU_MAX_FRAME,
} from "../../../src/modbus/index.ts";
import type { Generator } from "./generator.ts";

const out = Buffer.alloc(MAX_PDU);
const line = Buffer.alloc(RTU_MAX_FRAME);
/** Codes of the errors met, and how much was accepted. */
export const refused = new Set<string>();
export const accepted = { frames: 0, requests: 0, replies: 0, serial: 0 };

/** What `read` gives, or null where the peer is to blame. */
function attempt<Value>(read: () => Value): Value | null {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof PeerError)) throw error;
    refused.add(error.code);
    return null;
  }
}

function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

function fuzzRequest(bytes: Uint8Array): Operation | null {
  const operation = attempt(() => decodeRequest(1, bytes, 0, bytes.length));
  if (operation === null) return null;
  accepted.requests++;
  const end = encodeRequest(operation, out, 0);
  must(
    Buffer.compare(out.subarray(0, end), bytes) === 0,
    "a request is encoded to other bytes than it came in",
  );
  must(operation.writes === null || effect(operation) === "write", "a write is said to be a read");
  must(/^[\x20-\x7e]+$/.test(describeOperation(operation)), "a description is not one printable line");
  return operation;
}

function fuzzReply(request: Uint8Array, bytes: Uint8Array): void {
  const operation = fuzzRequest(request);
  if (operation === null) return;
  if (bytes.length > 0 && bytes.length <= MAX_PDU) fuzzLength(operation, bytes);
  const reply = attempt(() => decodeReply(operation, bytes, 0, bytes.length));
  if (reply === null) return;
  accepted.replies++;
  const end = encodeReply(operation, reply, out, 0);
  const again = decodeReply(operation, out, 0, end);
  must(again.exception === reply.exception, "an exception is another after encoding");
  must(end === bytes.length, "a reply is encoded to another length");
  const padded = operation.functionCode <= 2 ? 1 : 0;
  must(
    Buffer.compare(out.subarray(0, end - padded), bytes.subarray(0, end - padded)) === 0 ||
      reply.exception !== 0,
    "a reply is encoded to other bytes than it came in",
  );
}

/** Of a reply that is accepted, the expected length is right or unknown; of any, it is one that a frame can have. */
function fuzzLength(operation: Operation, pdu: Uint8Array): void {
  const end = encodeRtu(operation.unit, pdu, 0, pdu.length, line, 0);
  const good = attempt(() => decodeReply(operation, pdu, 0, pdu.length)) !== null;
  for (const held of [0, 1, 2, 3, 4, 5, end >> 1, end]) {
    const length = expectedReplyLength(operation, line, 0, Math.min(held, end));
    must(length === 0 || (length >= 4 && length <= RTU_MAX_FRAME), `${length} is no frame's length`);
    must(!good || length === 0 || length === end, `expected are ${length} bytes of ${end}`);
  }
}

function fuzzSerial(bytes: Uint8Array): void {
  const unit = bytes[0] ?? 0;
  const end = attempt(() => decodeRtu(unit, bytes, 0, bytes.length));
  if (end === null) return;
  accepted.serial++;
  const length = encodeRtu(unit, bytes, 1, end, line, 0);
  must(
    Buffer.compare(line.subarray(0, length), bytes) === 0,
    "a frame is encoded to other bytes than it came in",
  );
  fuzzRequest(bytes.subarray(1, end));
}

/** Frames must be the stream's own bytes, in order and without a gap, however it is cut. */
function fuzzStream(generator: Generator, stream: Uint8Array): void {
  const largest = generator.pick([1, 2, 7, 50, 300, 1000]);
  const buffer = new FrameBuffer();
  let read = 0;
  for (let at = 0; at < stream.length;) {
    const size = 1 + generator.below(largest);
    buffer.push(stream.subarray(at, at + size));
    at += size;
    while (attempt(() => buffer.next()) === true) {
      const frame = buffer.bytes.subarray(buffer.start, buffer.end);
      must(
        Buffer.compare(frame, stream.subarray(read, read + frame.length)) === 0,
        "a frame is not the stream's bytes",
      );
      must(frame.length <= MBAP_MAX_FRAME, "a frame is too long");
      read += frame.length;
      accepted.frames++;
      if (largest === 300) fuzzRequest(frame.subarray(MBAP_HEADER));
    }
    must(buffer.held < MBAP_MAX_FRAME, "the buffer holds more than a frame");
  }
  const whole = new FrameBuffer();
  whole.push(stream);
  let length = 0;
  while (attempt(() => whole.next()) === true) length += whole.end - whole.start;
  must(length === read, "a stream in one chunk has other frames than in many");
}

/** One input of the generator; throws an Error with the input in hex where something is wrong. */
export function fuzz(generator: Generator): void {
  const kind = generator.below(4);
  let input: readonly Uint8Array[] = [];
  try {
    if (kind === 0) {
      input = [generator.request()];
      fuzzRequest(input[0]!);
    } else if (kind === 1) {
      const [request, reply] = generator.exchange();
      input = [request, reply];
      fuzzReply(request, reply);
    } else if (kind === 2) {
      input = [generator.serial()];
      fuzzSerial(input[0]!);
    } else {
      input = [generator.stream()];
      fuzzStream(generator, input[0]!);
    }
  } catch (error) {
    const hex = input.map((bytes) => Buffer.from(bytes).toString("hex")).join(" | ");
    throw new Error(`kind ${kind}: ${hex}`, { cause: error });
  }
}

/** Bytes in use after all garbage is collected. */
export function heapUsed(): number {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  if (typeof collect === "function") collect();
  return getHeapStatistics().used_heap_size;
}
