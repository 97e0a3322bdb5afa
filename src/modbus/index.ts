/**
 * Modbus on the wire, and nothing else: framing (MBAP, RTU), requests to Operations and back, replies checked against
 * their requests. Pure: bytes in, values or a PeerError out. What is not canonical is refused, and what goes on is always
 * encoded afresh from the decoded value.
 *
 * Standards: MODBUS Application Protocol V1.1b3 ("section" in comments, unless another is named), MODBUS Messaging on
 * TCP/IP V1.0b, MODBUS over Serial Line V1.02.
 */
export * from "./describe.ts";
export { exceptionTo } from "./fault.ts";
export { encodeException, encodeReply, readCoils, readRegisters } from "./encode-reply.ts";
export type { Reply } from "./encode-reply.ts";
export * from "./encode-request.ts";
export * from "./limits.ts";
export * from "./mbap.ts";
export type * from "./operation.ts";
export * from "./reply.ts";
export * from "./request.ts";
export * from "./rtu.ts";
