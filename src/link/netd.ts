import * as z from "zod";
import { defineCall, defineEvent } from "../base/index.ts";
import { draftsSchema, snapshotSchema } from "./shapes.ts";

/**
 * Puts the snapshot's ruleset in force, whole or not at all; `problem` null: it is. Otherwise what the kernel said, for the
 * reader, and the ruleset of before stays.
 */
export const netdApply = defineCall(
  "netd.apply",
  z.strictObject({ snapshot: snapshotSchema }),
  z.strictObject({ problem: z.string().nullable() }),
);

/** Whether the kernel would take the snapshot's ruleset; changes nothing. */
export const netdCheck = defineCall(
  "netd.check",
  z.strictObject({ snapshot: snapshotSchema }),
  z.strictObject({ problem: z.string().nullable() }),
);

const portSchema = z.strictObject({
  role: z.enum(["uplink", "device"]),
  /** The kernel's name of the interface. */
  name: z.string(),
  /** up: with a link; down: without; missing: the kernel knows no such interface. */
  state: z.enum(["up", "down", "missing"]),
  address: z.string().nullable(),
});

export const netdStatus = defineCall(
  "netd.status",
  z.null(),
  z.strictObject({
    /** The site document's version whose ruleset is in force; null: the one that denies everything. */
    site: z.number().nullable(),
    mode: z.enum(["inline", "routed", "closed"]),
    ports: z.array(portSchema),
    /** What is not as it should be, for the reader. */
    problems: z.array(z.string()),
    /** Packets that were not looked at since netd started, by why, in words that follow `packets`. */
    refused: z.record(z.string(), z.number()),
  }),
);
export type NetdStatus = z.infer<typeof netdStatus.result>;

const forwardSchema = z.strictObject({
  machine: z.string(),
  /** The destination's name in the site document. */
  destination: z.string(),
  /** `address:port`, as the machine sends. */
  source: z.string(),
  target: z.string(),
  transport: z.enum(["tcp", "udp"]),
  /** The kernel's word for the connection, e.g. ESTABLISHED; empty for udp. */
  state: z.string(),
  packetsOut: z.number(),
  packetsIn: z.number(),
  /** From and to the machine. */
  bytesOut: z.number(),
  bytesIn: z.number(),
});

const refusedSchema = z.strictObject({
  source: z.string(),
  target: z.string(),
  machine: z.string().nullable(),
  /** Transport and ports in words, e.g. `tcp 22, 80, 443 and 61 more`. */
  what: z.string(),
  reason: z.string(),
  packets: z.number(),
  /** Milliseconds since the epoch. */
  first: z.number(),
  last: z.number(),
});

/** What passes through the kernel now, and what was refused lately and is not on record yet or only just. */
export const netdFlows = defineCall(
  "netd.flows",
  z.null(),
  z.strictObject({ forwarded: z.array(forwardSchema), refused: z.array(refusedSchema) }),
);
export type ForwardView = z.infer<typeof forwardSchema>;
export type RefusedView = z.infer<typeof refusedSchema>;

const neighbourSchema = z.strictObject({
  port: z.enum(["uplink", "device"]),
  mac: z.string(),
  /** IPv4 addresses it used, sorted. */
  addresses: z.array(z.string()),
  /** The machine of the site document with that MAC address. */
  machine: z.string().nullable(),
  /** What it was seen to send, e.g. `ARP`, `LLDP`, `PROFINET DCP`, `IPv6`. */
  seen: z.array(z.string()),
  /** Milliseconds since the epoch. */
  first: z.number(),
  last: z.number(),
});
/** A station seen on a port. */
export type Neighbour = z.infer<typeof neighbourSchema>;

/**
 * Stations on the device port. `ask`: IPv4 addresses (CIDR, at most a /22) that are asked by ARP once, gently, before answering.
 */
export const netdNeighbours = defineCall(
  "netd.neighbours",
  z.strictObject({ ask: z.string().nullable() }),
  z.array(neighbourSchema),
);

/** Lets the gateway, for so many milliseconds, open connections to these ports of an address on the device port, to ask what it is. */
export const netdReach = defineCall(
  "netd.reach",
  z.strictObject({
    address: z.ipv4(),
    mac: z.string(),
    ports: z.array(z.int().min(1).max(65_535)),
    milliseconds: z.int().min(1).max(60_000),
  }),
  z.null(),
);

/** Records of netd's own, from netd to control; answered after the commit. */
export const netdAppend = defineCall("netd.append", z.strictObject({ drafts: draftsSchema }), z.null());

/** netd's last words before it stops because it was told to: that it goes is no loss. */
export const netdLeaving = defineEvent("netd.leaving", z.null());
