import { ByteReader, printable } from "../base/index.ts";
import {
  decodeReply,
  encodeRequest,
  frameLength,
  MBAP_HEADER,
  MBAP_MAX_FRAME,
  MEI_DEVICE_IDENTIFICATION,
  transactionId,
  unitId,
  writeHeader,
  type Operation,
} from "../modbus/index.ts";
import type { Dialogue } from "./identify-dialogue.ts";

/** Read Device Identification (MODBUS Application Protocol V1.1b3, 6.21): functions' code, and how much is asked for. */
const FUNCTION = 43;
const BASIC = 1;
const REGULAR = 2;
const FIRST_REGULAR_OBJECT = 3;
/** Requests that one identification may take; a machine that always has more to say is not listened to for ever. */
const MAX_REQUESTS = 8;

/** Names of the objects, as in table 6.21. */
const OBJECTS = [
  "vendor",
  "product",
  "revision",
  "vendorUrl",
  "productName",
  "modelName",
  "userApplicationName",
] as const;
export type ModbusObject = (typeof OBJECTS)[number];

export interface ModbusIdentification {
  /** The unit that answered. */
  readonly unit: number;
  /** What the machine says of itself, unproven; printable. Empty where it speaks Modbus and not of itself. */
  readonly objects: Readonly<Partial<Record<ModbusObject, string>>>;
  /** The exception it answered instead; null: none. */
  readonly exception: number | null;
}

/** Reads only. Errors as of Dialogue, and PeerError where an answer is no Modbus. */
export async function identifyModbus(dialogue: Dialogue, unit: number): Promise<ModbusIdentification> {
  const objects: Partial<Record<ModbusObject, string>> = {};
  let [level, next]: [number, number] = [BASIC, 0];
  for (let request = 1; request <= MAX_REQUESTS; request++) {
    const page = await ask(dialogue, unit, request, level, next);
    // Of the second level an exception only means that there is none.
    if (typeof page === "number") return { unit, objects, exception: level === BASIC ? page : null };
    for (const [id, value] of page.objects) {
      const name = OBJECTS[id];
      if (name !== undefined) objects[name] = value;
    }
    if (page.next !== null && page.next > next) next = page.next;
    else if (level === BASIC && page.conformity >= REGULAR) [level, next] = [REGULAR, FIRST_REGULAR_OBJECT];
    else break;
  }
  return { unit, objects, exception: null };
}

interface Page {
  readonly conformity: number;
  /** Null: nothing more follows. */
  readonly next: number | null;
  readonly objects: ReadonlyArray<readonly [number, string]>;
}

/** A page of objects, or the code of an exception. */
async function ask(
  dialogue: Dialogue,
  unit: number,
  transaction: number,
  level: number,
  object: number,
): Promise<Page | number> {
  const operation: Operation = {
    unit,
    functionCode: FUNCTION,
    subFunction: MEI_DEVICE_IDENTIFICATION,
    reads: null,
    writes: null,
    files: [],
    data: Uint8Array.of(level, object),
  };
  const request = Buffer.alloc(MBAP_MAX_FRAME);
  const end = encodeRequest(operation, request, MBAP_HEADER);
  writeHeader(request, 0, transaction, unit, end - MBAP_HEADER);
  dialogue.send(request.subarray(0, end));
  for (;;) {
    const frame = await dialogue.answer((bytes) => frameLength(bytes, 0, bytes.length));
    if (transactionId(frame, 0) !== transaction || unitId(frame, 0) !== unit) continue;
    const reply = decodeReply(operation, frame, MBAP_HEADER, frame.length);
    return reply.exception === 0 ? readPage(reply.data) : reply.exception;
  }
}

/** What decodeReply has checked: MEI type, level, conformity, more, next, count, objects. */
function readPage(data: Uint8Array): Page {
  const reader = new ByteReader(data);
  reader.view(2, "MEI type and level");
  const conformity = reader.u8("the conformity level") & 0x7f;
  const more = reader.u8("more follows") !== 0;
  const next = reader.u8("the next object id");
  const count = reader.u8("the object count");
  const objects = Array.from({ length: count }, () => {
    const id = reader.u8("an object id");
    const value = reader.view(reader.u8("an object's length"), "an object's value");
    return [id, text(value)] as const;
  });
  return { conformity, next: more ? next : null, objects };
}

/** Filled up with blanks or zeros by some machines. */
function text(value: Uint8Array): string {
  return printable(Buffer.from(value).toString("latin1").replace(/\0+$/, "").trim());
}
