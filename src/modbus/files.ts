/**
 * The file references of functions 20 and 21 (sections 6.14, 6.15):
 *
 *   request  | byte count (1) | { 6 (1) | file | record | length | registers ... (21 only) } ... |
 *   reply 20 | byte count (1) | { 1 + 2 * length (1) | 6 (1) | registers ... } ... |
 *   reply 21 | as the request |
 */
import { type ByteReader, BugError, PeerError } from "../base/index.ts";
import {
  FILE_RECORDS,
  FILE_REFERENCE_TYPE,
  MAX_FILE_READ_REPLY,
  MAX_FILE_READ_REQUEST,
  MAX_FILE_WRITE,
} from "./limits.ts";
import type { FileRecord } from "./operation.ts";
import { putWord, unpackRegisters } from "./words.ts";

const NO_VALUES: readonly number[] = Object.freeze([]);
/** Bytes of one reference without its registers. */
const REFERENCE = 7;

/** The body of a request of function 20 (`writes` false) or 21. */
export function decodeFiles(writes: boolean, body: ByteReader): readonly FileRecord[] {
  const byteCount = body.u8("the byte count");
  const limit = writes ? MAX_FILE_WRITE : MAX_FILE_READ_REQUEST;
  if (byteCount < REFERENCE || byteCount > limit) {
    throw new PeerError("byte-count", `the byte count is ${byteCount}, allowed is ${REFERENCE}..${limit}`);
  }
  if (byteCount !== body.remaining) {
    const code = byteCount > body.remaining ? "truncated" : "trailing-bytes";
    throw new PeerError(code, `the byte count is ${byteCount}, ${body.remaining} bytes follow`);
  }
  const files: FileRecord[] = [];
  while (body.remaining > 0) files.push(decodeFile(writes, body));
  if (!writes && replyBytes(files) > MAX_FILE_READ_REPLY) throw tooMuch(replyBytes(files));
  return files;
}

function decodeFile(writes: boolean, body: ByteReader): FileRecord {
  const type = body.u8("the reference type");
  if (type !== FILE_REFERENCE_TYPE) {
    throw new PeerError(
      "reference-type",
      `the reference type is ${type}, the only one is ${FILE_REFERENCE_TYPE}`,
    );
  }
  const file = body.u16("the file number");
  const record = body.u16("the record number");
  const length = body.u16("the record length");
  if (file === 0) throw new PeerError("file-number", "the file number is 0, allowed is 1..65535");
  if (length === 0) throw new PeerError("quantity", `file ${file}, record ${record}: the record length is 0`);
  if (record + length > FILE_RECORDS) {
    throw new PeerError(
      "address-overflow",
      `file ${file}: ${length} registers from record ${record} go beyond record ${FILE_RECORDS - 1}`,
    );
  }
  const values = writes ? unpackRegisters(body.view(length * 2, "the record data")) : NO_VALUES;
  return { file, record, length, values };
}

/** Writes the body of a request from its byte count on and returns its end. BugError where the records cannot be encoded. */
export function encodeFiles(
  writes: boolean,
  files: readonly FileRecord[],
  out: Uint8Array,
  at: number,
): number {
  const limit = writes ? MAX_FILE_WRITE : MAX_FILE_READ_REQUEST;
  const byteCount = files.reduce((sum, file) => sum + REFERENCE + file.values.length * 2, 0);
  if (byteCount < REFERENCE || byteCount > limit) {
    throw new BugError("encode", `file records of ${byteCount} bytes are outside ${REFERENCE}..${limit}`);
  }
  if (!writes && replyBytes(files) > MAX_FILE_READ_REPLY) {
    throw new BugError("encode", tooMuch(replyBytes(files)).message);
  }
  out[at++] = byteCount;
  for (const file of files) {
    if (file.file < 1 || file.length < 1 || file.record + file.length > FILE_RECORDS) {
      throw new BugError(
        "encode",
        `file ${file.file}, record ${file.record}, length ${file.length} is no file record`,
      );
    }
    if (file.values.length !== (writes ? file.length : 0)) {
      throw new BugError(
        "encode",
        `a file record of ${file.length} registers has ${file.values.length} values`,
      );
    }
    out[at] = FILE_REFERENCE_TYPE;
    putWord(out, at + 1, file.file, "the file number");
    putWord(out, at + 3, file.record, "the record number");
    putWord(out, at + 5, file.length, "the record length");
    at += REFERENCE;
    for (const value of file.values) {
      putWord(out, at, value, "a register");
      at += 2;
    }
  }
  return at;
}

/** Bytes of all sub-responses of function 20. */
function replyBytes(files: readonly FileRecord[]): number {
  return files.reduce((sum, file) => sum + 2 + file.length * 2, 0);
}

/** The body of a reply of function 20: each sub-response must be as long as its request asked. */
export function checkFileReply(files: readonly FileRecord[], body: ByteReader): void {
  const byteCount = body.u8("the byte count");
  if (byteCount !== replyBytes(files)) {
    throw new PeerError(
      "byte-count",
      `the reply's byte count is ${byteCount}, asked for were ${replyBytes(files)} bytes`,
    );
  }
  for (const file of files) {
    const length = body.u8("the file response length");
    if (length !== 1 + file.length * 2) {
      throw new PeerError(
        "byte-count",
        `file ${file.file}, record ${file.record}: the response length is ${length}, asked for were ${1 + file.length * 2}`,
      );
    }
    const type = body.u8("the reference type");
    if (type !== FILE_REFERENCE_TYPE) {
      throw new PeerError(
        "reference-type",
        `the reference type is ${type}, the only one is ${FILE_REFERENCE_TYPE}`,
      );
    }
    body.view(file.length * 2, "the record data");
  }
}

function tooMuch(bytes: number): PeerError {
  return new PeerError(
    "quantity",
    `the records asked for are ${bytes} bytes of reply, the limit is ${MAX_FILE_READ_REPLY}`,
  );
}
