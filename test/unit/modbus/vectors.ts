/**
 * The Modbus vectors, parsed. Bytes are hexadecimal, with blanks as they help the reader; `A55A*125` is 125 times the same.
 * Lists of values may be written `1*123`; `files` may be written `file,record,length*times`.
 */
import { readFileSync } from "node:fs";
import * as z from "zod";
import type { Operation } from "../../../src/modbus/index.ts";

const hex = z.string().transform((text) =>
  Buffer.concat(
    text
      .split(/\s+/)
      .filter((part) => part !== "")
      .flatMap((part) => {
        const [digits = "", times = "1"] = part.split("*");
        const bytes = Buffer.from(digits, "hex");
        if (bytes.length * 2 !== digits.length) throw new Error(`"${part}" is not hexadecimal`);
        return Array.from({ length: Number(times) }, () => bytes);
      }),
  ),
);

const values = z.union([
  z.array(z.number()),
  z
    .string()
    .regex(/^\d+\*\d+$/)
    .transform((text) => {
      const [value = "", times = ""] = text.split("*");
      return Array.from({ length: Number(times) }, () => Number(value));
    }),
]);

const file = z.strictObject({
  file: z.number(),
  record: z.number(),
  length: z.number(),
  values: values.default([]),
});

const files = z.union([
  z.array(file),
  z
    .string()
    .regex(/^\d+,\d+,\d+\*\d+$/)
    .transform((text) => {
      const [name = 0, record = 0, length = 0, times = 0] = text.split(/[,*]/).map(Number);
      return Array.from({ length: times }, () => ({ file: name, record, length, values: [] }));
    }),
]);

const range = {
  table: z.enum(["coils", "discreteInputs", "holdingRegisters", "inputRegisters"]),
  address: z.number(),
  quantity: z.number(),
};

const operation = z.strictObject({
  functionCode: z.number(),
  subFunction: z.number().default(-1),
  reads: z.strictObject(range).nullable().default(null),
  writes: z
    .union([
      z.strictObject({ ...range, values }),
      z.strictObject({ ...range, and: z.number(), or: z.number() }),
    ])
    .nullable()
    .default(null),
  files: files.default([]),
  data: hex.transform((bytes) => new Uint8Array(bytes)).default(new Uint8Array(0)),
});

const error = z.string();

const requests = z.array(
  z.union([
    z.strictObject({ name: z.string(), pdu: hex, operation }),
    z.strictObject({ name: z.string(), pdu: hex, error }),
  ]),
);

const replies = z.array(
  z.union([
    z.strictObject({
      name: z.string(),
      request: hex,
      reply: hex,
      exception: z.number().default(0),
      /** What it is encoded to, where that is not what came. */
      encoded: hex.optional(),
      values: values.optional(),
      /** Its length on a serial line cannot be known before silence. */
      silent: z.boolean().default(false),
    }),
    z.strictObject({ name: z.string(), request: hex, reply: hex, error }),
  ]),
);

const rtu = z.array(
  z.union([
    z.strictObject({ name: z.string(), unit: z.number(), frame: hex, pdu: hex }),
    z.strictObject({ name: z.string(), unit: z.number(), frame: hex, error }),
  ]),
);

const streams = z.array(
  z.union([
    z.strictObject({ name: z.string(), stream: hex, frames: z.array(hex), held: z.number() }),
    z.strictObject({ name: z.string(), stream: hex, frames: z.array(hex), error }),
  ]),
);

const seeds = z.strictObject({ inputs: z.int().min(1), seeds: z.array(z.int().min(0)).min(1) });

function read<Schema extends z.ZodType>(name: string, schema: Schema): z.output<Schema> {
  const path = new URL(`../../vectors/modbus/${name}.json`, import.meta.url);
  return schema.parse(JSON.parse(readFileSync(path, "utf8")));
}

export const readRequests = (): z.output<typeof requests> => read("requests", requests);
export const readReplies = (): z.output<typeof replies> => read("replies", replies);
export const readRtu = (): z.output<typeof rtu> => read("rtu", rtu);
export const readStreams = (): z.output<typeof streams> => read("streams", streams);
/** The fuzzer's seeds, and how many inputs each makes. A seed that finds something is added and stays. */
export const readSeeds = (): z.output<typeof seeds> => read("seeds", seeds);

/** Those that decode, and what they must decode to. */
export function validRequests(unit: number): { name: string; pdu: Buffer; operation: Operation }[] {
  return readRequests().flatMap((vector) =>
    "operation" in vector ? [{ ...vector, operation: { unit, ...vector.operation } }] : [],
  );
}
