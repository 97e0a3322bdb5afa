/**
 * The built-in types of the binary encoding (OPC 10000-6, 5.2.2) that niac reads, all little-endian:
 *
 *   String, ByteString  | length i32 (-1: null) | bytes ... |
 *   array               | count i32 (-1: null)  | elements ... |
 *   NodeId              | 0 | id u8 |   | 1 | namespace u8 | id u16 |   | 2 | namespace u16 | id u32 |   3 string, 4 GUID, 5 opaque
 *   LocalizedText       | mask: 1 locale, 2 text | the strings that are there |
 *   DiagnosticInfo      | mask | the fields that are there, another DiagnosticInfo the last of them |
 *   ExtensionObject     | NodeId | 0: no body, 1: bytes, 2: XML | length i32, body |
 *
 * Every bound is checked and a miss throws; what is not canonical is refused.
 */
import { PeerError } from "../base/index.ts";

/** Bytes of a string; the longest niac looks at is a certificate. */
export const MAX_STRING = 65_536;
/** Elements of an array. */
export const MAX_ARRAY = 1_024;
/** DiagnosticInfo within DiagnosticInfo. */
export const MAX_DEPTH = 4;

export class UaReader {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get remaining(): number {
    return this.#bytes.length - this.#at;
  }

  #take(length: number, what: string): number {
    if (length > this.remaining)
      throw new PeerError("truncated", `${what} needs ${length} bytes, ${this.remaining} are left`);
    const at = this.#at;
    this.#at += length;
    return at;
  }

  u8(what: string): number {
    return this.#view.getUint8(this.#take(1, what));
  }

  u16(what: string): number {
    return this.#view.getUint16(this.#take(2, what), true);
  }

  u32(what: string): number {
    return this.#view.getUint32(this.#take(4, what), true);
  }

  i32(what: string): number {
    return this.#view.getInt32(this.#take(4, what), true);
  }

  /** 100 ns since 1601; 5.2.2.5. */
  time(what: string): bigint {
    return this.#view.getBigInt64(this.#take(8, what), true);
  }

  /** A view, not a copy. */
  bytes(length: number, what: string): Uint8Array {
    const at = this.#take(length, what);
    return this.#bytes.subarray(at, at + length);
  }

  byteString(what: string): Uint8Array | null {
    const length = this.i32(`${what}'s length`);
    if (length === -1) return null;
    if (length < 0 || length > MAX_STRING)
      throw new PeerError("opcua-length", `${what} has a length of ${length}; allowed is -1..${MAX_STRING}`);
    return this.bytes(length, what);
  }

  string(what: string): string | null {
    const bytes = this.byteString(what);
    if (bytes === null) return null;
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch (error) {
      throw new PeerError("opcua-utf8", `${what} is not UTF-8`, undefined, { cause: error });
    }
  }

  /** A null array is an empty one here. */
  array<T>(what: string, element: () => T): T[] {
    const count = this.i32(`${what}'s count`);
    if (count < -1 || count > MAX_ARRAY)
      throw new PeerError("opcua-array", `${what} has a count of ${count}; allowed is -1..${MAX_ARRAY}`);
    const elements: T[] = [];
    for (let i = 0; i < count; i++) elements.push(element());
    return elements;
  }

  /** The number of a NodeId of namespace 0, in any of the encodings that may stand for one; null: another kind of NodeId. */
  nodeId(what: string): number | null {
    const encoding = this.u8(`${what}'s encoding`);
    switch (encoding) {
      case 0:
        return this.u8(what);
      case 1: {
        const namespace = this.u8(what);
        const id = this.u16(what);
        return namespace === 0 ? id : null;
      }
      case 2: {
        const namespace = this.u16(what);
        const id = this.u32(what);
        return namespace === 0 ? id : null;
      }
      case 3:
      case 5:
        this.u16(what);
        this.byteString(what);
        return null;
      case 4:
        this.bytes(18, what);
        return null;
      default:
        throw new PeerError("opcua-node-id", `${what} is encoded as ${encoding}; known are 0..5`);
    }
  }

  /** The text; null where there is none. */
  localizedText(what: string): string | null {
    const mask = this.u8(`${what}'s mask`);
    if (mask > 3) throw new PeerError("opcua-mask", `${what} has a mask of ${mask}; known are bits 1 and 2`);
    if ((mask & 1) !== 0) this.string(`${what}'s locale`);
    return (mask & 2) !== 0 ? this.string(what) : null;
  }

  skipDiagnosticInfo(depth = 0): void {
    const mask = this.u8("diagnostics' mask");
    if (mask > 0x7f) throw new PeerError("opcua-mask", `diagnostics have a mask of ${mask}`);
    for (const bit of [0x01, 0x02, 0x04, 0x08]) if ((mask & bit) !== 0) this.i32("a diagnostics' index");
    if ((mask & 0x10) !== 0) this.string("diagnostics' text");
    if ((mask & 0x20) !== 0) this.u32("diagnostics' status");
    if ((mask & 0x40) === 0) return;
    if (depth + 1 >= MAX_DEPTH)
      throw new PeerError("opcua-depth", `diagnostics within diagnostics, more than ${MAX_DEPTH} deep`);
    this.skipDiagnosticInfo(depth + 1);
  }

  skipExtensionObject(what: string): void {
    this.nodeId(`${what}'s type`);
    const encoding = this.u8(`${what}'s encoding`);
    if (encoding > 2)
      throw new PeerError("opcua-extension", `${what} is encoded as ${encoding}; known are 0..2`);
    if (encoding !== 0) this.byteString(what);
  }

  /** Refuses trailing bytes. */
  finish(what: string): void {
    if (this.remaining > 0)
      throw new PeerError("trailing-bytes", `${what} has ${this.remaining} bytes too many`);
  }
}
