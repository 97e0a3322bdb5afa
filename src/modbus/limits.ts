/** Numbers of the MODBUS Application Protocol V1.1b3, each with its section. Codec and tests take them from here. */

/** Bytes of a PDU, function code included; section 4.1. */
export const MAX_PDU = 253;
/** Addresses of one table, 0..65535; section 4.4. */
export const ADDRESS_SPACE = 65_536;

/** Functions 1 and 2; sections 6.1, 6.2. */
export const MAX_READ_COILS = 2000;
/** Functions 3 and 4, and the read half of 23; sections 6.3, 6.4, 6.17. */
export const MAX_READ_REGISTERS = 125;
/** Function 15; section 6.11. */
export const MAX_WRITE_COILS = 1968;
/** Function 16; section 6.12. */
export const MAX_WRITE_REGISTERS = 123;
/** The written half of function 23; section 6.17. */
export const MAX_READ_WRITE_REGISTERS = 121;
/** Function 24: registers in the queue, the count register not counted; section 6.18. */
export const MAX_FIFO_COUNT = 31;
/** Function 12: event bytes; section 6.10. */
export const MAX_LOG_EVENTS = 64;

/** Functions 20 and 21: the only reference type; sections 6.14, 6.15. */
export const FILE_REFERENCE_TYPE = 6;
/** A file's records are numbered 0..9999; sections 6.14, 6.15. */
export const FILE_RECORDS = 10_000;
/** Function 20: bytes of sub-requests, 35 at 7 bytes each; section 6.14. */
export const MAX_FILE_READ_REQUEST = 245;
/** Function 20: bytes of sub-responses that still fit a PDU. The text of section 6.14 rules, not its table's "0xF5". */
export const MAX_FILE_READ_REPLY = MAX_PDU - 2;
/** Function 21: bytes of sub-requests; section 6.15. */
export const MAX_FILE_WRITE = 251;

/** Function 43: MEI types; sections 6.20, 6.21. */
export const MEI_CANOPEN = 13;
export const MEI_DEVICE_IDENTIFICATION = 14;

/** Function 5; section 6.5. */
export const COIL_ON = 0xff00;
export const COIL_OFF = 0x0000;

/** Added to the function code of an exception reply; section 7. */
export const EXCEPTION_FLAG = 0x80;

/** Function codes the standard defines; section 5.1. */
export const PUBLIC_FUNCTIONS: ReadonlySet<number> = new Set([
  1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 15, 16, 17, 20, 21, 22, 23, 24, 43,
]);

/** What a request may carry as its function code; the upper half marks exceptions; section 4.1. */
export function isFunctionCode(code: number): boolean {
  return Number.isInteger(code) && code >= 1 && code < EXCEPTION_FLAG;
}
