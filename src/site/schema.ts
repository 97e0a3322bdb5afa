/** The site document's schema: what zod checks, what an editor is told (site.schema.json), and its types. */
import * as z from "zod";
import { isTimeZone } from "./calendar.ts";
import { readDnsName } from "./network.ts";
import { duration, mistake, name, readText, scalar, shown, text, whole } from "./scalar.ts";
import { destinationSchema } from "./schema-destination.ts";
import { machineSchema } from "./schema-machine.ts";
import { networkSchema } from "./schema-network.ts";
import { forbidSchema, grantSchema } from "./schema-rule.ts";
import { sourceSchema } from "./schema-source.ts";
import { postureSchema, trustSchema } from "./schema-trust.ts";

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

/** By section, the schema of one entry. */
export const mappings = {
  machines: machineSchema,
  people: personSchema,
  groups: groupSchema,
  posture: postureSchema,
} as const;
export const lists = {
  grants: grantSchema,
  forbids: forbidSchema,
  destinations: destinationSchema,
  unsafeUnauthenticated: sourceSchema,
} as const;

export const documentSchema = z.strictObject({
  niac: z.literal(1).meta({ description: "Format of this document" }),
  site: siteSchema.meta({ description: "The site and its appliance" }),
  network: networkSchema
    .optional()
    .meta({ description: "How the appliance stands in the cable. Without it, it is a proxy that does not" }),
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
  posture: z
    .record(name("The requirement's name"), postureSchema)
    .default({})
    .meta({ description: "What laptops must be like, by name; grants ask for it" }),
  trust: trustSchema.prefault({}).meta({ description: "Whom to trust beyond the appliance's own authority" }),
  grants: z.array(grantSchema).default([]).meta({ description: "Who may do what. Without a grant, nothing" }),
  forbids: z
    .array(forbidSchema)
    .default([])
    .meta({ description: "What nobody it names may do: a forbid beats every grant" }),
  destinations: z
    .array(destinationSchema)
    .default([])
    .meta({ description: "Where machines may themselves connect to. Without one, nowhere" }),
  unsafeUnauthenticated: z.array(sourceSchema).default([]).meta({
    description:
      "Clients that may connect without a certificate until a day. A weakening: none unless needed",
  }),
});

export type SiteDocument = z.output<typeof siteSchema>;
export type PersonDocument = z.output<typeof personSchema>;
export type GroupDocument = z.output<typeof groupSchema>;
