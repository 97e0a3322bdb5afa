/** The schema of grants and forbids. */
import * as z from "zod";
import { DAYS, readDays, readHours, readMoment } from "./calendar.ts";
import { readNetwork } from "./network.ts";
import { KEY_POSITIONS, readKeySwitch } from "./key-switch.ts";
import { name, scalar, text, whole } from "./scalar.ts";
import { modbusSchema } from "./schema-modbus.ts";

const values = (description: string) => z.array(text(description)).min(1).optional().meta({ description });

const names = (description: string, each: string) =>
  z.array(name(each)).min(1).optional().meta({ description });

/** Of a certificate. */
const identity = {
  users: values("Users: the certificate's common name"),
  groups: values("Groups; each must be declared under `groups`"),
  devices: values("Devices"),
  roles: values("Roles: the MODBUS/TCP Security role extension"),
  tiers: values("Tiers"),
  tenants: values("Tenants: from the certificate's issuer"),
};

function namesNobody(given: object, fields: string, context: z.RefinementCtx): void {
  if (Object.keys(given).length > 0) return;
  const params = { expected: `${fields}; or \`who: anyone\`` };
  context.addIssue({ code: "custom", message: "this names nobody", params });
}

const grantWho = z
  .union([
    z.literal("anyone").meta({ description: "Every verified certificate" }),
    z
      .strictObject(identity)
      .superRefine((given, context) =>
        namesNobody(given, "users, groups, devices, roles, tiers or tenants", context),
      ),
  ])
  .meta({
    description:
      "Who: every field given must match, in each of them any value. `anyone`: every verified certificate",
  });

const forbidWho = z
  .union([
    z.literal("anyone").meta({ description: "Every client there is" }),
    z
      .strictObject({
        ...identity,
        sources: names("Clients under `unsafeUnauthenticated`", "A client's name"),
        machines: names("Machines, in what they ask of destinations", "A machine's name"),
      })
      .superRefine((given, context) => {
        namesNobody(given, "users, groups, devices, roles, tiers, tenants, sources or machines", context);
        for (const key of ["sources", "machines"] as const) {
          const other = Object.keys(given).find((one) => one !== key);
          if (given[key] === undefined || other === undefined) continue;
          const params = { expected: `${key} alone; a forbid for each` };
          const message = `no client is named by both ${other} and ${key}: this would forbid nothing`;
          context.addIssue({ code: "custom", path: [key], message, params });
          return;
        }
      }),
  ])
  .meta({
    description:
      "Who: every field given must match, in each of them any value. `anyone`: every client there is, those without a certificate and machines included",
  });

const MACHINES = z.union([z.literal("all"), z.array(name("A machine's name")).min(1)]);

const services = names(
  "Services of these machines. Without it: their Modbus services where `modbus` is given, else all",
  "A service's name",
);

export const whatSchema = z.strictObject({
  machines: MACHINES.meta({ description: "Machines, or `all`" }),
  services,
  modbus: modbusSchema.optional().meta({
    description:
      "What of Modbus. A grant on a Modbus service must say it; { functions: programming } opens everything",
  }),
});

const forbidWhat = z
  .strictObject({
    machines: MACHINES.optional().meta({ description: "Machines, or `all`" }),
    services,
    destinations: z
      .union([z.literal("all"), z.array(name("A destination's name")).min(1)])
      .optional()
      .meta({ description: "Destinations that are inspected or wrapped, or `all` of these" }),
    modbus: modbusSchema.optional().meta({ description: "What of Modbus. Without it: everything" }),
  })
  .superRefine(({ machines, destinations, services: named }, context) => {
    if (machines !== undefined || (destinations !== undefined && named === undefined)) return;
    const expected =
      destinations === undefined ? "machines, destinations, or both" : "machines that have these services";
    context.addIssue({
      code: "custom",
      path: ["machines"],
      message: "missing",
      params: { missing: true, expected },
    });
  });

export const moment = (description: string) =>
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
    keySwitch: scalar(
      {
        description:
          "Position of the key switch at the box. While it is not known, no grant that names it holds, and every forbid does",
        type: "string",
        enum: KEY_POSITIONS,
      },
      readKeySwitch,
    ).optional(),
  })
  .meta({
    description: "When, in the site's time zone: everything given must hold. Without it: always",
  });

const head = {
  name: name("The rule's name, in records and messages"),
  reason: text("Why this rule is there: shown to whoever it concerns", 1000),
};
const tail = {
  when: when.optional(),
  from: z
    .array(scalar({ description: "A network in CIDR form, or an address", type: "string" }, readNetwork))
    .min(1)
    .optional()
    .meta({ description: "Source networks. Without it: from anywhere" }),
};

export const grantSchema = z.strictObject({
  ...head,
  who: grantWho,
  what: whatSchema.meta({ description: "What it speaks of" }),
  ...tail,
  posture: z
    .union([name("A requirement's name"), z.array(name("A requirement's name")).min(1)])
    .optional()
    .meta({ description: "Requirements under `posture`, each of which the laptop must meet" }),
  howFast: z
    .strictObject({
      operationsPerSecond: whole("Operations in a second, for each user", 1, 100_000).optional(),
      connections: whole("Sessions at once, for each user", 1, 4096).optional(),
    })
    .optional()
    .meta({ description: "Limits of rate, for each user" }),
});

export const forbidSchema = z.strictObject({
  ...head,
  who: forbidWho,
  what: forbidWhat.meta({ description: "What it speaks of" }),
  ...tail,
});

export type GrantDocument = z.output<typeof grantSchema>;
export type ForbidDocument = z.output<typeof forbidSchema>;
/** A forbid may say whatever a grant may, and more. */
export type RuleDocument = ForbidDocument;
export type WhatDocument = ForbidDocument["what"];
export type WhenDocument = z.output<typeof when>;
