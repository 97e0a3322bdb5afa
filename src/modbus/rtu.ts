/**
 * Modbus RTU framing (MODBUS over Serial Line V1.02, section 2.5.1):
 *
 *   +------+----------------+---------+---------+
 *   | unit | PDU, 1..253    | CRC low | CRC high|      4..256 bytes
 *   +------+----------------+---------+---------+
 *
 * The line itself marks a frame's end by silence only; expectedReplyLength lets a master know it earlier.
 */
import { BugError, PeerError } from "../base/index.ts";
import { DIAGNOSTICS } from "./diagnostics.ts";
import { EXCEPTION_FLAG, MAX_PDU, MEI_DEVICE_IDENTIFICATION } from "./limits.ts";
import type { Operation } from "./operation.ts";
import { checkBounds, wordAt } from "./words.ts";

/** Unit and CRC around the PDU. */
const AROUND = 3;
export const RTU_MIN_FRAME = AROUND + 1;
export const RTU_MAX_FRAME = AROUND + MAX_PDU;
const EXCEPTION_FRAME = AROUND + 2;

/** One entry for each value of a byte; polynomial 0xA001, section 6.2.2. */
const CRC_TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 0 ? crc >> 1 : (crc >> 1) ^ 0xa001;
  return crc;
});

/** CRC-16 of start..end as the line has it: its low byte is sent first. */
export function crc16(bytes: Uint8Array, start: number, end: number): number {
  checkBounds(bytes, start, end);
  let crc = 0xffff;
  for (let at = start; at < end; at++) crc = (crc >> 8) ^ CRC_TABLE[(crc ^ bytes[at]!) & 0xff]!;
  return crc;
}

/** Writes the frame of the PDU start..end of `pdu` at `at` and returns its end. `pdu` may be `out` itself. */
export function encodeRtu(
  unit: number,
  pdu: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  at: number,
): number {
  checkBounds(pdu, start, end);
  const length = end - start;
  if (length < 1 || length > MAX_PDU)
    throw new BugError("encode", `a PDU of ${length} bytes is outside 1..${MAX_PDU}`);
  if (!Number.isInteger(unit) || unit < 0 || unit > 0xff)
    throw new BugError("encode", `unit ${unit} is outside 0..255`);
  checkBounds(out, at, at + length + AROUND);
  out.set(pdu.subarray(start, end), at + 1);
  out[at] = unit;
  const crc = crc16(out, at, at + 1 + length);
  out[at + 1 + length] = crc & 0xff;
  out[at + 2 + length] = crc >> 8;
  return at + length + AROUND;
}

/**
 * Checks the frame start..end, which must be from `unit`; its PDU is start + 1 to what is returned.
 * PeerError `rtu-length`, `rtu-crc`, `rtu-unit`.
 */
export function decodeRtu(unit: number, bytes: Uint8Array, start: number, end: number): number {
  checkBounds(bytes, start, end);
  const length = end - start;
  if (length < RTU_MIN_FRAME || length > RTU_MAX_FRAME) {
    throw new PeerError(
      "rtu-length",
      `a frame of ${length} bytes is outside ${RTU_MIN_FRAME}..${RTU_MAX_FRAME}`,
    );
  }
  const crc = crc16(bytes, start, end - 2);
  const sent = bytes[end - 2]! | (bytes[end - 1]! << 8);
  if (crc !== sent) {
    throw new PeerError(
      "rtu-crc",
      `a frame's CRC is ${sent}, its bytes make ${crc}`,
      "Check the line's wiring, baud rate and parity.",
    );
  }
  if (bytes[start] !== unit)
    throw new PeerError("rtu-unit", `a frame is from unit ${bytes[start]}, expected was ${unit}`);
  return end - 2;
}

/**
 * Bytes of the whole reply frame (unit and CRC included) to `operation`, of which start..end is what has come so far; 0 while
 * that cannot be said yet, or at all: then silence ends the frame.
 */
export function expectedReplyLength(
  operation: Operation,
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  checkBounds(bytes, start, end);
  const held = end - start;
  if (held < 2) return 0;
  const functionCode = bytes[start + 1]!;
  if (functionCode === operation.functionCode + EXCEPTION_FLAG) return EXCEPTION_FRAME;
  if (functionCode !== operation.functionCode) return 0;
  const pdu = expectedPdu(operation, bytes, start + 1, end);
  return pdu < 1 || pdu > MAX_PDU ? 0 : pdu + AROUND;
}

function expectedPdu(operation: Operation, bytes: Uint8Array, start: number, end: number): number {
  const held = end - start;
  switch (operation.functionCode) {
    case 1:
    case 2:
    case 3:
    case 4:
    case 12:
    case 17:
    case 20:
    case 21:
    case 23:
      // The count that was sent, not the one asked for: a wrong one is then a whole frame, to be refused as such.
      return held < 2 ? 0 : 2 + bytes[start + 1]!;
    case 5:
    case 6:
    case 11:
    case 15:
    case 16:
      return 5;
    case 7:
      return 2;
    case 8:
      if (operation.subFunction === 0) return 3 + operation.data.length;
      return DIAGNOSTICS.has(operation.subFunction) ? 5 : 0;
    case 22:
      return 7;
    case 24:
      return held < 3 ? 0 : 3 + wordAt(bytes, start + 1);
    case 43:
      return operation.subFunction === MEI_DEVICE_IDENTIFICATION ? identificationPdu(bytes, start, end) : 0;
    default:
      return 0;
  }
}

/** Walks the objects as far as they have come. */
function identificationPdu(bytes: Uint8Array, start: number, end: number): number {
  const count = start + 6;
  if (count >= end) return 0;
  let at = count + 1;
  for (let i = 0; i < bytes[count]!; i++) {
    if (at + 1 >= end) return 0;
    at += 2 + bytes[at + 1]!;
  }
  return at - start;
}
