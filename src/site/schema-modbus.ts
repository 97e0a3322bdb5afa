/** The schema of what a rule says of Modbus. */
import * as z from "zod";
import type { Table } from "../base/index.ts";
import { LAST_ADDRESS, LAST_VALUE, RANGE_PATTERN, readAddress, readUnit, readValues } from "./address.ts";
import {
  MODBUS_SETS,
  readFunction,
  readFunctionSet,
  SUB_FUNCTION_LIMITS,
  type FunctionItem,
} from "./functions.ts";
import { scalar, whole, type Described } from "./scalar.ts";

const SETS = Object.keys(MODBUS_SETS);

/** Keywords for a number or a range up to `maximum`. */
function range(maximum: number): readonly Omit<Described, "description">[] {
  return [
    { type: "integer", minimum: 0, maximum },
    { type: "string", pattern: RANGE_PATTERN },
  ];
}

const addresses = (table: Table) =>
  scalar(
    { description: "Address counted from 0, or a range such as 10-19", anyOf: range(LAST_ADDRESS) },
    (input) => readAddress(table, input),
  );

const everything = z.literal("all").meta({ description: "Every address of this table" });

const reads = (table: Table, description: string) =>
  z
    .union([everything, z.array(addresses(table)).min(1)])
    .optional()
    .meta({ description });

const limited = (table: "coils" | "holdingRegisters") =>
  z.strictObject({
    addresses: addresses(table),
    values: scalar(
      {
        description: "Values that may be written, as they stand on the wire: one, or a range such as 0-200",
        anyOf: range(LAST_VALUE[table]),
      },
      (input) => readValues(table, input),
    ).optional(),
    maxChange: whole(
      "Largest step from the value the machine holds. Grants only, registers only",
      1,
      LAST_ADDRESS,
    ).optional(),
  });

const writes = (table: "coils" | "holdingRegisters", description: string) =>
  z
    .union([everything, z.array(z.union([addresses(table), limited(table)])).min(1)])
    .optional()
    .meta({ description });

const oneFunction = z.union([
  scalar(
    {
      description: "A set's name or a function code",
      anyOf: [
        { type: "string", enum: SETS },
        { type: "integer", minimum: 1, maximum: 127 },
      ],
    },
    readFunction,
  ),
  z
    .strictObject({
      code: whole("Function code with sub-functions: 8 or 43", 1, 127),
      subFunctions: z
        .array(whole("Sub-function (8), or MEI type (43)", 0, 65_535))
        .min(1)
        .meta({ description: "Sub-functions this rule covers" }),
    })
    .superRefine(({ code, subFunctions }, context) => {
      const limit = SUB_FUNCTION_LIMITS[code];
      if (limit === undefined) {
        const expected = "8 (Diagnostics) or 43 (Encapsulated Interface Transport)";
        context.addIssue({
          code: "custom",
          path: ["code"],
          message: `function ${code} has no sub-functions`,
          params: { expected },
        });
        return;
      }
      for (const [index, sub] of subFunctions.entries()) {
        if (sub > limit) {
          context.addIssue({
            code: "custom",
            path: ["subFunctions", index],
            message: `${sub} is outside 0..${limit}`,
          });
        }
      }
    })
    .transform(({ code, subFunctions }): FunctionItem => {
      return { code, subFunctions: [...new Set(subFunctions)].toSorted((a, b) => a - b) };
    }),
]);

export const modbusSchema = z.strictObject({
  units: z
    .array(
      scalar({ description: "Unit identifier, or a range", anyOf: range(255) }, (input) =>
        readUnit(255, input),
      ),
    )
    .min(1)
    .optional()
    .meta({ description: "Unit identifiers; without it, any" }),
  functions: z
    .union([
      scalar({ description: "A set of functions", type: "string", enum: SETS }, readFunctionSet),
      z.array(oneFunction).min(1),
    ])
    .optional()
    .meta({
      description:
        "Which functions: readOnly, readWrite, programming, or a list. Without it a grant has readWrite where `write` is given, else readOnly; a forbid has every function. In a grant with addresses a set leaves out 21 (Write File Record), which no address limits: name it",
    }),
  read: z
    .strictObject({
      coils: reads("coils", "Coils that may be read"),
      discreteInputs: reads("discreteInputs", "Discrete inputs that may be read"),
      holdingRegisters: reads("holdingRegisters", "Holding registers that may be read"),
      inputRegisters: reads("inputRegisters", "Input registers that may be read"),
    })
    .optional()
    .meta({
      description:
        "Addresses for reading. With neither `read` nor `write`, any address; with one of them, only what is listed",
    }),
  write: z
    .strictObject({
      coils: writes("coils", "Coils that may be written"),
      holdingRegisters: writes("holdingRegisters", "Holding registers that may be written"),
    })
    .optional()
    .meta({ description: "Addresses for writing, with limits for values" }),
});

export type ModbusDocument = z.output<typeof modbusSchema>;
export type WriteDocument = NonNullable<NonNullable<ModbusDocument["write"]>["coils" | "holdingRegisters"]>;
export type ReadDocument = NonNullable<NonNullable<ModbusDocument["read"]>[Table]>;
