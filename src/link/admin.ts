import * as z from "zod";
import { defineCall, defineEvent } from "../base/index.ts";
import { boxSchema } from "./box.ts";
import { gatewayIdentify, gatewayMachines, gatewaySessions } from "./gateway.ts";
import { ownCertificate } from "./trust.ts";
import { netdFlows, netdNeighbours, netdStatus } from "./netd.ts";

const versionSchema = z.strictObject({
  version: z.number(),
  /** SHA-256 of the text, hexadecimal. */
  hash: z.string(),
  /** Milliseconds since the epoch. */
  appliedAt: z.number(),
  appliedBy: z.string(),
  note: z.string(),
});
/** One entry of the site document's history. */
export type SiteVersion = z.infer<typeof versionSchema>;

export const siteApply = defineCall(
  "site.apply",
  /** `first`: only where none was applied yet. */
  z.strictObject({
    text: z.string(),
    fileName: z.string(),
    by: z.string(),
    note: z.string(),
    first: z.boolean(),
  }),
  /** `report`: what was found and what changed, in lines for people; `applied` null: nothing was changed. */
  z.strictObject({ applied: versionSchema.nullable(), report: z.array(z.string()) }),
);
export const siteRollback = defineCall(
  "site.rollback",
  z.strictObject({ version: z.number(), by: z.string() }),
  z.strictObject({ applied: versionSchema.nullable(), report: z.array(z.string()) }),
);
/** Without a version, the one in force. */
export const siteShow = defineCall(
  "site.show",
  z.strictObject({ version: z.number().nullable() }),
  z.strictObject({ version: versionSchema, text: z.string() }),
);
export const siteHistory = defineCall("site.history", z.null(), z.array(versionSchema));

/** Records travel as the JSON they are stored as; the reader of the answer only shows them. */
const recordsSchema = z.array(z.unknown());
export const auditRead = defineCall(
  "audit.read",
  z.strictObject({ from: z.number().nullable(), limit: z.number(), reverse: z.boolean() }),
  recordsSchema,
);
export const auditQuery = defineCall(
  "audit.query",
  /** `words`: field=value each, see parseFilter of audit/. Newest first. */
  z.strictObject({ words: z.array(z.string()), limit: z.number(), before: z.number().nullable() }),
  recordsSchema,
);
/** One record with those that belong to it. */
export const auditShow = defineCall("audit.show", z.strictObject({ index: z.number() }), recordsSchema);
/** From then on, auditNew comes for every commit. */
export const auditFollow = defineCall("audit.follow", z.null(), z.null());
export const auditNew = defineEvent("audit.new", z.strictObject({ records: recordsSchema }));

export const sessionsList = defineCall("sessions.list", z.null(), gatewaySessions.result);
export const sessionsEnd = defineCall(
  "sessions.end",
  z.strictObject({ session: z.string(), reason: z.string(), by: z.string() }),
  z.strictObject({ ended: z.boolean() }),
);
/** Stations on the device port; `ask`: a network in CIDR form that is searched by ARP first. */
export const discoverStations = defineCall(
  "discover.stations",
  z.strictObject({ ask: z.string().nullable() }),
  z.strictObject({
    stations: netdNeighbours.result,
    /** The appliance's own network on the side of the machines, in CIDR form; null: it has no address. */
    network: z.string().nullable(),
  }),
);
/** Has the gateway ask one of them what it is; on record. Takes up to a minute. */
export const discoverIdentify = defineCall(
  "discover.identify",
  z.strictObject({ address: z.ipv4(), mac: z.string(), by: z.string() }),
  gatewayIdentify.result,
);
/** What passes now and what was refused lately. `unauthenticated`: how many may still connect without a certificate. */
export const flowsList = defineCall(
  "flows.list",
  z.null(),
  z.strictObject({
    passing: netdFlows.result,
    sessions: gatewaySessions.result,
    unauthenticated: z.number(),
  }),
);
export const statusShow = defineCall(
  "status",
  z.null(),
  z.strictObject({
    origin: z.string(),
    version: z.string(),
    gateway: z.enum(["attached", "away"]),
    /** The gateway's own; null: it is away. */
    ownCertificate: ownCertificate.params.nullable(),
    site: versionSchema.nullable(),
    records: z.number(),
    audit: z.string(),
    /** Whether the appliance stands in the cable; absent: it has no ports of its own. */
    cable: z.enum(["absent", "attached", "away"]),
    network: netdStatus.result.nullable(),
    /** Who may still connect without a certificate; `until`: milliseconds since the epoch. */
    unauthenticated: z.array(z.strictObject({ name: z.string(), owner: z.string(), until: z.number() })),
    machines: gatewayMachines.result,
    /** Locks in force. */
    locks: z.number(),
    /** Milliseconds by which the clock stands before the latest time known; 0: it does not. */
    clockBehind: z.number(),
    box: boxSchema,
  }),
);
