import * as z from "zod";
import { defineCall, defineEvent } from "../base/index.ts";
import { panelSchema } from "./panel.ts";
import { draftsSchema, snapshotSchema } from "./shapes.ts";
import { tlsSchema, trustSchema } from "./trust.ts";

const sessionSchema = z.strictObject({
  id: z.string(),
  kind: z.enum(["certificate", "source", "machine"]),
  /** Of a source or machine: its name in the site document. */
  user: z.string(),
  device: z.string().nullable(),
  source: z.string(),
  /** Behind the appliance: whose service it is, or which one connects to `destination`. */
  machine: z.string(),
  /** Null: the service is the machine's. */
  destination: z.string().nullable(),
  service: z.string(),
  grants: z.array(z.string()),
  /** Milliseconds since the epoch. */
  started: z.number(),
  lastActive: z.number(),
  reads: z.number(),
  writes: z.number(),
  denials: z.number(),
  bytesIn: z.number(),
  bytesOut: z.number(),
});
/** A live session as `niac sessions` shows it. */
export type SessionView = z.infer<typeof sessionSchema>;

const machineSchema = z.strictObject({
  /** Or a destination's name. */
  machine: z.string(),
  service: z.string(),
  /** Whose address a destination's port connects from; null: the appliance's. */
  origin: z.string().nullable(),
  circuit: z.enum(["closed", "open", "half-open"]),
  connections: z.number(),
  pending: z.number(),
  queued: z.number(),
  failures: z.number(),
  lastError: z.string().nullable(),
});
/** The state of a machine's port as `niac status` shows it. */
export type MachineView = z.infer<typeof machineSchema>;

/**
 * The gateway's first words, after every (re)connection: who it is (`instance` is new at every start), which sessions it still
 * has, and which permitted writes it still waits for. Everything else control had open under that name is over.
 */
export const attach = defineCall(
  "gateway.attach",
  z.strictObject({ instance: z.string(), sessions: z.array(z.string()), writes: z.array(z.string()) }),
  z.strictObject({ snapshot: snapshotSchema, tls: tlsSchema, trust: trustSchema, panel: panelSchema }),
);

/** Answered after the commit. `now`: somebody waits. */
export const append = defineCall(
  "audit.append",
  z.strictObject({ drafts: draftsSchema, urgency: z.enum(["now", "soon"]) }),
  z.null(),
);

/** Whether the other side still answers. */
export const ping = defineCall("ping", z.null(), z.null());

/** The gateway's last words before it stops because it was told to: that it goes is no loss. */
export const leaving = defineEvent("gateway.leaving", z.null());

export const newSnapshot = defineEvent("site.snapshot", z.strictObject({ snapshot: snapshotSchema }));

/**
 * Ports looked at, in this order: Modbus, OPC UA, web pages, SSH, S7, EtherNet/IP, VNC, DNP3, IEC 60870-5-104. Only the first two are
 * asked anything; the others are opened and closed again.
 */
export const IDENTIFY_PORTS: readonly number[] = [502, 4840, 80, 443, 22, 102, 44818, 5900, 20000, 2404];
/** Milliseconds that identify() takes at most, with every port open and as slow as it is waited for; for netd's netdReach. */
export const IDENTIFY_MILLISECONDS = 50_000;

const identificationSchema = z.strictObject({
  modbus: z
    .strictObject({
      unit: z.number(),
      objects: z.record(z.string(), z.string()),
      /** The exception code it answered with, where it speaks Modbus and not of itself. */
      exception: z.number().nullable(),
    })
    .nullable(),
  opcua: z
    .array(
      z.strictObject({
        applicationUri: z.string(),
        applicationName: z.string(),
        endpointUrl: z.string(),
        securityMode: z.string(),
        policy: z.string(),
      }),
    )
    .readonly()
    .nullable(),
  openPorts: z.array(z.number()).readonly(),
  problems: z.array(z.string()).readonly(),
});
/** What a station on the device port says of itself; nothing of it is proven. */
export type IdentificationView = z.infer<typeof identificationSchema>;

/** Asks what stands at an address, once and gently; the way must have been opened (netdReach). */
export const gatewayIdentify = defineCall(
  "gateway.identify",
  z.strictObject({ address: z.ipv4() }),
  identificationSchema,
);

/** Asked of the gateway by control, for a command. */
export const gatewaySessions = defineCall("gateway.sessions", z.null(), z.array(sessionSchema));
export const gatewayMachines = defineCall("gateway.machines", z.null(), z.array(machineSchema));
export const gatewayEnd = defineCall(
  "gateway.end",
  z.strictObject({ session: z.string(), reason: z.string() }),
  z.strictObject({ ended: z.boolean() }),
);
