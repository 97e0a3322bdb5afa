/** The schema of grants and forbids. */
import { z } from "zod";
import type { Table } from "../base/index.ts";
import { LAST_ADDRESS, LAST_VALUE, RANGE_PATTERN, readAddress, readUnit, readValues } from "./address.ts";
import { DAYS, readDays, readHours, readMoment } from "./calendar.ts";
import { MODBUS_SETS, readFunction, readFunctionSet, SUB_FUNCTION_LIMITS } from "./functions.ts";
import type { FunctionItem } from "./functions.ts";
import { readNetwork } from "./network.ts";
import { name, scalar, text, whole } from "./scalar.ts";
import type { Described } from "./scalar.ts";

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

const modbus = z.strictObject({
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

const values = (description: string) => z.array(text(description)).min(1).optional().meta({ description });

const who = z
  .union([
    z.literal("anyone").meta({ description: "Every verified certificate" }),
    z
      .strictObject({
        users: values("Users: the certificate's common name"),
        groups: values("Groups; each must be declared under `groups`"),
        devices: values("Devices"),
        roles: values("Roles: the MODBUS/TCP Security role extension"),
        tiers: values("Tiers"),
        tenants: values("Tenants: from the certificate's issuer"),
      })
      .superRefine((given, context) => {
        if (Object.keys(given).length > 0) return;
        const params = { expected: "users, groups, devices, roles, tiers or tenants; or `who: anyone`" };
        context.addIssue({ code: "custom", message: "this names nobody", params });
      }),
  ])
  .meta({
    description:
      "Who: every field given must match, in each of them any value. `anyone`: every verified certificate",
  });

const what = z
  .strictObject({
    machines: z
      .union([z.literal("all"), z.array(name("A machine's name")).min(1)])
      .meta({ description: "Machines, or `all`" }),
    services: z.array(name("A service's name")).min(1).optional().meta({
      description:
        "Services of these machines. Without it: their Modbus services where `modbus` is given, else all",
    }),
    modbus: modbus.optional().meta({
      description:
        "What of Modbus. A grant on a Modbus service must say it; { functions: programming } opens everything",
    }),
  })
  .meta({ description: "What it speaks of" });

const moment = (description: string) =>
  scalar({ description, type: "string", pattern: "^\\d{4}-\\d\\d-\\d\\d(T.+)?$" }, readMoment);

const when = z
  .strictObject({
    days: z
      .array(
        scalar(
          {
            description: "A day, or a range such as mon-fri",
            type: "string",
            pattern: `^(${DAYS.join("|")})( *- *(${DAYS.join("|")}))?$`,
          },
          readDays,
        ),
      )
      .min(1)
      .optional()
      .meta({ description: "Days of the week. Hours over midnight belong to the day they begin on" }),
    hours: z
      .array(
        scalar(
          {
            description: `Hours, e.g. "06:00-18:00"; the end is not part of them`,
            type: "string",
            pattern: "^\\d\\d:\\d\\d *- *\\d\\d:\\d\\d$",
          },
          readHours,
        ),
      )
      .min(1)
      .optional()
      .meta({ description: "Hours of the day, in the site's time zone" }),
    from: moment("First day, or first instant").optional(),
    until: moment("Last day, included to its end; or the instant it ends").optional(),
  })
  .meta({ description: "When, in the site's time zone. Without it: always" });

const rule = {
  name: name("The rule's name, in records and messages"),
  reason: text("Why this rule is there: shown to whoever it concerns", 1000),
  who,
  what,
  when: when.optional(),
  from: z
    .array(scalar({ description: "A network in CIDR form, or an address", type: "string" }, readNetwork))
    .min(1)
    .optional()
    .meta({ description: "Source networks. Without it: from anywhere" }),
};

export const grantSchema = z.strictObject({
  ...rule,
  howFast: z
    .strictObject({
      operationsPerSecond: whole("Operations in a second, for each user", 1, 100_000).optional(),
      connections: whole("Sessions at once, for each user", 1, 4096).optional(),
    })
    .optional()
    .meta({ description: "Limits of rate, for each user" }),
});

/** Also knows `howFast`, to say why it cannot stand in a forbid. */
export const forbidSchema = z.strictObject(rule);

export type GrantDocument = z.output<typeof grantSchema>;
export type ForbidDocument = z.output<typeof forbidSchema>;
export type RuleDocument = ForbidDocument;
export type ModbusDocument = z.output<typeof modbus>;
export type WhenDocument = z.output<typeof when>;
export type WriteDocument = NonNullable<NonNullable<ModbusDocument["write"]>["coils" | "holdingRegisters"]>;
export type ReadDocument = NonNullable<NonNullable<ModbusDocument["read"]>[Table]>;
