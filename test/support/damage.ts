/** Damage to a file, as small as damage can be. */
import { closeSync, openSync, readSync, writeSync } from "node:fs";

/** Turns the lowest bit of the byte; once more, and it is as before. */
export function flipBit(path: string, at: number): void {
  const file = openSync(path, "r+");
  try {
    const byte = Buffer.alloc(1);
    if (readSync(file, byte, 0, 1, at) !== 1) throw new Error(`${path} has no byte ${at}`);
    byte.writeUInt8(byte.readUInt8(0) ^ 1);
    writeSync(file, byte, 0, 1, at);
  } finally {
    closeSync(file);
  }
}
