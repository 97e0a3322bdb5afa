/** The site document's schema: what zod checks, what an editor is told (site.schema.json), and its types. */
import { z } from "zod";
import { RANGE_PATTERN, readPorts } from "./address.ts";
import { isTimeZone } from "./calendar.ts";
import { host, ipAddress, readDnsName } from "./network.ts";
import { duration, mistake, name, readText, scalar, shown, text, whole } from "./scalar.ts";
import { machineSchema } from "./schema-machine.ts";
import { forbidSchema, grantSchema } from "./schema-rule.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

const limits = z.strictObject({
  connections: whole("Connections the appliance takes at once", 1, 16_384, 512).default(512),
  connectionsPerSource: whole("Connections of one source address at once", 1, 16_384, 64).default(64),
  handshakeTimeout: duration("Time for a TLS handshake", 100, MINUTE, "10s").default(10 * SECOND),
  idleTimeout: duration(
    "Time without a byte from the laptop until its session ends",
    100,
    24 * HOUR,
    "15m",
  ).default(15 * MINUTE),
  readSummaryInterval: duration(
    "Time over which reads are summed up into one record",
    100,
    HOUR,
    "60s",
  ).default(MINUTE),
});

const timeZone = scalar(
  {
    description: "IANA time zone in which days and hours of rules are read, e.g. Europe/Berlin",
    type: "string",
  },
  (input) => {
    const expected = "an IANA time zone such as Europe/Berlin or UTC";
    const reading = readText(input);
    if ("mistake" in reading) return reading;
    const named = /^[A-Za-z]/.test(reading.value) && isTimeZone(reading.value);
    return named ? reading : mistake(`${shown(input)} is no time zone`, expected);
  },
);

export const siteSchema = z.strictObject({
  name: text("The site's name, as people call it"),
  appliance: scalar(
    {
      description: "The appliance's own DNS name; clients ask for <service>.<machine>.<appliance>",
      type: "string",
      maxLength: 253,
    },
    readDnsName,
  ),
  timeZone,
  limits: limits.prefault({}).meta({ description: "Limits of the appliance" }),
});

export const personSchema = z.strictObject({
  groups: z
    .array(text("A group's name"))
    .meta({ description: "Groups this user is in; each must be declared under `groups`" }),
});

export const groupSchema = z.strictObject({
  description: text("What this group is for", 1000).optional(),
  fromCertificate: z.boolean().default(false).meta({
    description:
      "Whether a certificate's claim to be in this group is taken; if not, only `people` puts somebody in",
  }),
});

export const destinationSchema = z
  .strictObject({
    name: name("The destination's name, in records and messages"),
    reason: text("Why a machine may connect there", 1000),
    machines: z
      .union([z.literal("all"), z.array(name("A machine's name")).min(1)])
      .meta({ description: "Machines that may, or `all`" }),
    how: z.enum(["forward", "inspect", "wrap"]).meta({
      description:
        "forward: by the kernel as it is; inspect: through the gateway; wrap: in mutual TLS to another appliance",
    }),
    host: scalar(
      { description: "Address; for inspect and wrap also a DNS name", type: "string", maxLength: 253 },
      (input) => {
        const known = typeof input === "string" ? host(input) : null;
        return known === null
          ? mistake(`${shown(input)} is no host`, "an IP address or a DNS name")
          : { value: known };
      },
    ),
    ports: z
      .array(
        scalar(
          {
            description: "Port, or a range",
            anyOf: [
              { type: "integer", minimum: 1, maximum: 65_535 },
              { type: "string", pattern: RANGE_PATTERN },
            ],
          },
          readPorts,
        ),
      )
      .min(1)
      .meta({ description: "Ports" }),
    transport: z.enum(["tcp", "udp"]).default("tcp").meta({ description: "Transport" }),
  })
  .superRefine(({ how, host: target, transport }, context) => {
    if (how === "forward" && ipAddress(target) === null) {
      const params = { expected: "an IP address: the kernel's rules know no names" };
      context.addIssue({
        code: "custom",
        path: ["host"],
        message: `${target} cannot be forwarded to`,
        params,
      });
    }
    if (how !== "forward" && transport === "udp") {
      const params = { expected: "tcp, or how: forward" };
      context.addIssue({
        code: "custom",
        path: ["transport"],
        message: `udp cannot be carried with how: ${how}`,
        params,
      });
    }
  });

/** By section, the schema of one entry. */
export const mappings = { machines: machineSchema, people: personSchema, groups: groupSchema } as const;
export const lists = { grants: grantSchema, forbids: forbidSchema, destinations: destinationSchema } as const;

export const documentSchema = z.strictObject({
  niac: z.literal(1).meta({ description: "Format of this document" }),
  site: siteSchema.meta({ description: "The site and its appliance" }),
  machines: z
    .record(name("The machine's name"), machineSchema)
    .default({})
    .meta({ description: "Machines behind the appliance, by name" }),
  people: z
    .record(text("The user: the certificate's common name"), personSchema)
    .default({})
    .meta({ description: "Users and the groups they are in" }),
  groups: z
    .record(text("The group's name"), groupSchema)
    .default({})
    .meta({ description: "Groups that rules and people name" }),
  grants: z.array(grantSchema).default([]).meta({ description: "Who may do what. Without a grant, nothing" }),
  forbids: z
    .array(forbidSchema)
    .default([])
    .meta({ description: "What nobody it names may do: a forbid beats every grant" }),
  destinations: z
    .array(destinationSchema)
    .default([])
    .meta({ description: "Where machines may themselves connect to. Without one, nowhere" }),
});

export type SiteDocument = z.output<typeof siteSchema>;
export type PersonDocument = z.output<typeof personSchema>;
export type GroupDocument = z.output<typeof groupSchema>;
export type DestinationDocument = z.output<typeof destinationSchema>;
