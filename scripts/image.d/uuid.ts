/** A UUID for a text: the same text has the same one, wherever it is made. */
import { createHash } from "node:crypto";

/** RFC 9562, section 5.8: version 8, here from SHA-256 of what it stands for. */
export function contentUuid(content: string): string {
  const bytes = createHash("sha256").update(content).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
