import { BugError } from "../base/index.ts";

/** Parts of a message, joined; see reader.ts for the encodings. */
export type Part = Uint8Array;

export function u32(...values: readonly number[]): Part {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, i) => bytes.writeUInt32LE(value, i * 4));
  return bytes;
}

/** Null: the null string, which is not the empty one. */
export function string(text: string | null): Part {
  if (text === null) return u32(0xffff_ffff);
  const bytes = Buffer.from(text, "utf8");
  return Buffer.concat([u32(bytes.length), bytes]);
}

/** A NodeId of namespace 0 in its four-byte form, as message types are written. */
export function nodeId(id: number): Part {
  if (!Number.isInteger(id) || id < 0 || id > 0xffff)
    throw new BugError("encode", `a NodeId of ${id} has no four-byte form`);
  return Uint8Array.of(1, 0, id & 0xff, id >> 8);
}
