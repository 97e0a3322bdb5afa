/** Which exception a server answers to a request that is well framed and not allowed (section 7; the state diagrams of section 6). */
import type { PeerError } from "../base/index.ts";

const ILLEGAL_FUNCTION = 1;
const ILLEGAL_DATA_ADDRESS = 2;
const ILLEGAL_DATA_VALUE = 3;

/** By the codes of decodeRequest. Files: references are looked at after the byte count, as addresses (sections 6.14, 6.15). */
const EXCEPTIONS: ReadonlyMap<string, number> = new Map([
  ["function-code", ILLEGAL_FUNCTION],
  ["address-overflow", ILLEGAL_DATA_ADDRESS],
  ["reference-type", ILLEGAL_DATA_ADDRESS],
  ["file-number", ILLEGAL_DATA_ADDRESS],
]);

/** `error`: what decodeRequest threw. */
export function exceptionTo(error: PeerError): number {
  return EXCEPTIONS.get(error.code) ?? ILLEGAL_DATA_VALUE;
}
