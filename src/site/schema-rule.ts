/** The schema of grants and forbids. */
import { z } from "zod";
import { DAYS, readDays, readHours, readMoment } from "./calendar.ts";
import { readNetwork } from "./network.ts";
import { name, scalar, text, whole } from "./scalar.ts";
import { modbusSchema } from "./schema-modbus.ts";

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
    modbus: modbusSchema.optional().meta({
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

export const forbidSchema = z.strictObject(rule);

export type GrantDocument = z.output<typeof grantSchema>;
export type ForbidDocument = z.output<typeof forbidSchema>;
export type RuleDocument = ForbidDocument;
export type WhenDocument = z.output<typeof when>;
