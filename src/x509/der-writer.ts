/**
 * Writes DER (ITU-T X.690, sections 8 and 10): each value in its one encoding, so that what is signed here is read alike
 * everywhere. Values that have no encoding are the caller's mistake: a UsageError where a person may have typed them.
 */
import { BugError, UsageError } from "../base/index.ts";
import { TAG } from "./der.ts";

/** An element of this tag with the parts, one after the other, as its content. */
export function tagged(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  let length = 0;
  for (const part of parts) length += part.length;
  const header = headerOf(tag, length);
  const bytes = Buffer.allocUnsafe(header.length + length);
  bytes.set(header);
  let at = header.length;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

export function sequence(...parts: readonly Uint8Array[]): Buffer {
  return tagged(TAG.sequence, ...parts);
}

/** In the order of the encodings (X.690, section 11.6), whatever order they come in. */
export function set(...parts: readonly Uint8Array[]): Buffer {
  return tagged(TAG.set, ...parts.toSorted((one, other) => Buffer.compare(one, other)));
}

/** Never negative: bytes are big-endian and have no sign bit. */
export function integer(value: Uint8Array | number | bigint): Buffer {
  const bytes = value instanceof Uint8Array ? value : bytesOf(value);
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const digits = bytes.subarray(start);
  const first = digits[0];
  if (first === undefined) return tagged(TAG.integer, Buffer.of(0));
  return first >= 0x80 ? tagged(TAG.integer, Buffer.of(0), digits) : tagged(TAG.integer, digits);
}

/** Dotted decimal, at least two arcs. Throws a UsageError for anything else. */
export function oid(text: string): Buffer {
  if (!/^(?:[01]\.[1-3]?\d|2\.(?:0|[1-9]\d*))(?:\.(?:0|[1-9]\d*))*$/.test(text)) {
    throw new UsageError(
      "oid",
      `"${text}" is no object identifier`,
      "Write it as numbers: 1.3.6.1.5.5.7.3.2.",
    );
  }
  const [root = 0n, second = 0n, ...rest] = text.split(".").map(BigInt);
  return tagged(TAG.oid, Buffer.from([root * 40n + second, ...rest].flatMap(base128)));
}

export function octetString(bytes: Uint8Array): Buffer {
  return tagged(TAG.octetString, bytes);
}

/** `unused`: how many bits of the last byte do not count; they are zero. */
export function bitString(bytes: Uint8Array, unused = 0): Buffer {
  return tagged(TAG.bitString, Buffer.of(unused), bytes);
}

export function utf8String(text: string): Buffer {
  if (!text.isWellFormed()) throw new UsageError("text", "a text holds half of a character", undefined);
  return tagged(TAG.utf8String, Buffer.from(text));
}

/** Throws a UsageError for letters that it has not (X.680, section 41.4). */
export function printableString(text: string): Buffer {
  if (!/^[A-Za-z0-9 '()+,\-./:=?]*$/.test(text)) {
    throw new UsageError(
      "text",
      `"${text}" has a letter that is not among those taken here`,
      "Take A to Z, a to z, 0 to 9, the space and '()+,-./:=?.",
    );
  }
  return tagged(TAG.printableString, Buffer.from(text, "latin1"));
}

/** Throws a UsageError for what is not visible ASCII. */
export function ia5String(text: string): Buffer {
  return tagged(TAG.ia5String, ascii(text));
}

/** Throws a UsageError for what is not visible ASCII. */
export function ascii(text: string): Buffer {
  if (!/^[ -~]*$/.test(text)) {
    const what = `${JSON.stringify(text)} has a letter outside visible ASCII`;
    throw new UsageError("text", what, "Use its encoded form (xn--, %C3%BC).");
  }
  return Buffer.from(text, "latin1");
}

export function boolean(value: boolean): Buffer {
  return tagged(TAG.boolean, Buffer.of(value ? 0xff : 0x00));
}

export function nullValue(): Buffer {
  return tagged(TAG.null);
}

export function enumerated(value: number): Buffer {
  return tagged(TAG.enumerated, integer(value).subarray(2));
}

/** Milliseconds since the epoch, cut to the second: UTCTime until 2049, GeneralizedTime after (RFC 5280, section 4.1.2.5). */
export function time(at: number): Buffer {
  const date = new Date(at);
  const year = date.getUTCFullYear();
  if (!(year >= 1950 && year <= 9999)) {
    throw new UsageError("time", `the year ${year} has no place in a certificate`, "Choose one up to 9999.");
  }
  return year < 2050 ? tagged(TAG.utcTime, digitsOf(date).subarray(2)) : generalizedTime(at);
}

/** YYYYMMDDHHMMSSZ of any year from 0 to 9999. */
export function generalizedTime(at: number): Buffer {
  return tagged(TAG.generalizedTime, digitsOf(new Date(at)));
}

function digitsOf(date: Date): Buffer {
  return Buffer.from(`${date.toISOString().slice(0, 19).replaceAll(/[-T:]/g, "")}Z`, "latin1");
}

function headerOf(tag: number, length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(tag, length);
  const digits = bytesOf(length);
  return Uint8Array.of(tag, 0x80 + digits.length, ...digits);
}

/** Big-endian, without leading zeros. */
function bytesOf(value: number | bigint): Uint8Array {
  if (value < 0 || (typeof value === "number" && !Number.isSafeInteger(value))) {
    throw new BugError("der-integer", `${value} is no whole number from zero up`);
  }
  const digits = value.toString(16);
  return Buffer.from(digits.padStart(digits.length + (digits.length % 2), "0"), "hex");
}

/** Seven bits a byte, the top one set in all but the last (X.690, section 8.19). */
function base128(arc: bigint): number[] {
  const groups = [Number(arc & 0x7fn)];
  for (let left = arc >> 7n; left > 0n; left >>= 7n) groups.unshift(Number(left & 0x7fn) | 0x80);
  return groups;
}
