/**
 * Replies, checked against their requests. The PDU (section 6), all words big-endian:
 *
 *   exception     | fc + 0x80 | code (1) |
 *   1, 2          | fc | byte count (1) | coils, 8 a byte, the first in the lowest bit |
 *   3, 4, 23      | fc | byte count (1) | registers ... |
 *   5, 6, 21, 22  | the request |
 *   7             | fc | status (1) |
 *   8             | fc | sub-function | data ... |
 *   11            | fc | status | event count |
 *   12            | fc | byte count (1) | status | event count | message count | events (1 each) ... |
 *   15, 16        | fc | address | quantity |
 *   17            | fc | byte count (1) | server id, run indicator (1), more ... |
 *   20            | see files.ts |
 *   24            | fc | byte count | FIFO count | registers ... |
 *   43            | fc | MEI type (1) | data ... |    43/14: see device-identification.ts
 *   others        | fc | anything ... |
 */
import { ByteReader, PeerError } from "../base/index.ts";
import { checkDeviceIdentification } from "./device-identification.ts";
import { DIAGNOSTICS } from "./diagnostics.ts";
import { quantityRead, type Reply } from "./encode-reply.ts";
import { encodeRequest } from "./encode-request.ts";
import { checkFileReply } from "./files.ts";
import {
  EXCEPTION_FLAG,
  MAX_FIFO_COUNT,
  MAX_LOG_EVENTS,
  MAX_PDU,
  MEI_DEVICE_IDENTIFICATION,
} from "./limits.ts";
import type { Operation } from "./operation.ts";
import { checkBounds } from "./words.ts";

const NO_DATA = Object.freeze(new Uint8Array(0));
/** Bytes of the request that a reply of functions 15 and 16 repeats; sections 6.11, 6.12. */
const ECHOED_WRITE = 5;

/**
 * The PDU from `start` to `end` as the reply to `operation`. What the standard leaves to the machine passes as it is (the
 * values themselves, server ids, status words); lengths, counts and echoes must be those the request leads to. Bits after
 * the last coil of functions 1 and 2 are the one laxity: machines send rubbish there, and encodeReply sets them to 0.
 *
 * PeerError: `pdu-length`, `reply-function`, `exception-code`, `truncated`, `trailing-bytes`, `byte-count`, `echo`,
 * `fifo-count`, `reference-type`, `device-identification`.
 */
export function decodeReply(operation: Operation, bytes: Uint8Array, start: number, end: number): Reply {
  checkBounds(bytes, start, end);
  const length = end - start;
  if (length < 1 || length > MAX_PDU) {
    throw new PeerError("pdu-length", `a reply of ${length} bytes is outside 1..${MAX_PDU}`);
  }
  const functionCode = bytes[start]!;
  const body = new ByteReader(bytes, start + 1, end);
  if (functionCode === operation.functionCode + EXCEPTION_FLAG) {
    const exception = body.u8("the exception code");
    body.finish("an exception reply");
    if (exception === 0) throw new PeerError("exception-code", "the exception code is 0, allowed is 1..255");
    return { exception, data: NO_DATA };
  }
  if (functionCode !== operation.functionCode) {
    throw new PeerError(
      "reply-function",
      `the reply has function code ${functionCode}, the request had ${operation.functionCode}`,
    );
  }
  checkBody(operation, bytes, start, end, body);
  return { exception: 0, data: bytes.subarray(start + 1, end) };
}

function checkBody(
  operation: Operation,
  bytes: Uint8Array,
  start: number,
  end: number,
  body: ByteReader,
): void {
  switch (operation.functionCode) {
    case 1:
    case 2:
      return checkValues(Math.ceil(quantityRead(operation) / 8), body);
    case 3:
    case 4:
    case 23:
      return checkValues(quantityRead(operation) * 2, body);
    case 5:
    case 6:
    case 21:
    case 22:
      return checkEcho(operation, bytes, start, end, MAX_PDU);
    case 7:
      return checkLength(1, body);
    case 8:
      return checkDiagnostics(operation, bytes, start, end, body);
    case 11:
      return checkLength(4, body);
    case 12:
      return checkCounted(6, 6 + MAX_LOG_EVENTS, body);
    case 15:
    case 16:
      return checkEcho(operation, bytes, start, end, ECHOED_WRITE);
    case 17:
      // Server id and run indicator; how long the id is, only the machine's maker knows (section 6.13).
      return checkCounted(1, MAX_PDU - 2, body);
    case 20:
      checkFileReply(operation.files, body);
      return body.finish("the reply");
    case 24:
      return checkFifo(body);
    case 43:
      return checkEncapsulated(operation, body);
    default:
      return undefined;
  }
}

function checkValues(needed: number, body: ByteReader): void {
  const byteCount = body.u8("the byte count");
  if (byteCount !== needed) {
    throw new PeerError(
      "byte-count",
      `the reply's byte count is ${byteCount}, the request asks for ${needed}`,
    );
  }
  checkLength(needed, body);
}

function checkLength(length: number, body: ByteReader): void {
  body.view(length, "the reply's data");
  body.finish("the reply");
}

/** A byte count and as many bytes, between `least` and `most`. */
function checkCounted(least: number, most: number, body: ByteReader): void {
  const byteCount = body.u8("the byte count");
  if (byteCount < least || byteCount > most) {
    throw new PeerError("byte-count", `the reply's byte count is ${byteCount}, allowed is ${least}..${most}`);
  }
  checkLength(byteCount, body);
}

/** The reply must be the first `limit` bytes of its request, or all of it where it is shorter. */
function checkEcho(operation: Operation, bytes: Uint8Array, start: number, end: number, limit: number): void {
  const request = new Uint8Array(MAX_PDU);
  const length = Math.min(encodeRequest(operation, request, 0), limit);
  if (end - start !== length) {
    throw new PeerError(
      end - start < length ? "truncated" : "trailing-bytes",
      `the reply has ${end - start} bytes, the request leads to ${length}`,
    );
  }
  for (let i = 0; i < length; i++) {
    if (bytes[start + i] !== request[i]) {
      throw new PeerError(
        "echo",
        `byte ${i} of the reply is ${bytes[start + i]}, the request had ${request[i]}`,
      );
    }
  }
}

function checkDiagnostics(
  operation: Operation,
  bytes: Uint8Array,
  start: number,
  end: number,
  body: ByteReader,
): void {
  const diagnostics = DIAGNOSTICS.get(operation.subFunction);
  if (diagnostics?.echoes === true) return checkEcho(operation, bytes, start, end, MAX_PDU);
  const subFunction = body.u16("the sub-function");
  if (subFunction !== operation.subFunction) {
    throw new PeerError(
      "echo",
      `the reply's sub-function is ${subFunction}, the request had ${operation.subFunction}`,
    );
  }
  // A counter is one word; what a reserved sub-function answers, only the machine's maker knows.
  if (diagnostics !== undefined) checkLength(2, body);
}

function checkFifo(body: ByteReader): void {
  const byteCount = body.u16("the byte count");
  const count = body.u16("the FIFO count");
  if (count > MAX_FIFO_COUNT)
    throw new PeerError("fifo-count", `the FIFO count is ${count}, the limit is ${MAX_FIFO_COUNT}`);
  if (byteCount !== 2 + count * 2) {
    throw new PeerError(
      "byte-count",
      `the byte count is ${byteCount}, a FIFO count of ${count} makes ${2 + count * 2}`,
    );
  }
  checkLength(count * 2, body);
}

function checkEncapsulated(operation: Operation, body: ByteReader): void {
  const mei = body.u8("the MEI type");
  if (mei !== operation.subFunction) {
    throw new PeerError("echo", `the reply's MEI type is ${mei}, the request had ${operation.subFunction}`);
  }
  if (mei === MEI_DEVICE_IDENTIFICATION) checkDeviceIdentification(operation, body);
}
