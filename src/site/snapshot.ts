/**
 * The site document compiled and frozen: plain JSON values only, because it travels from control to gateway. Every reference
 * is resolved, every list is sorted, every range is an interval; the gateway and policy/ ask it, and never the YAML.
 */
import type { Table } from "../base/index.ts";

export interface Snapshot {
  /** Version of this shape; a gateway refuses one it does not know. */
  readonly format: 1;
  /** The site document's version in control's history, 1 and up; 0 for one that was only checked. */
  readonly version: number;
  /** SHA-256 of the document's text, hexadecimal. */
  readonly hash: string;
  readonly site: {
    readonly name: string;
    /** The appliance's own DNS name: `<service>.<machine>.<appliance>` is what a client puts into SNI. Lower case. */
    readonly appliance: string;
    /** IANA name; days and hours of rules are read in it. */
    readonly timeZone: string;
    readonly limits: SiteLimits;
  };
  /** Sorted by name. */
  readonly machines: readonly Machine[];
  /** User to the groups the site document puts him in, sorted. */
  readonly people: Readonly<Record<string, readonly string[]>>;
  /** Groups whose claim on a certificate is taken, sorted. */
  readonly certificateGroups: readonly string[];
  /**
   * In document order; the order decides nothing but how they are shown. A rule whose hours run over midnight on named days
   * stands here twice in a row under one name: the part before midnight, and the part after it on the days that follow.
   */
  readonly grants: readonly Grant[];
  readonly forbids: readonly Forbid[];
  readonly destinations: readonly Destination[];
}

export interface SiteLimits {
  readonly connections: number;
  readonly connectionsPerSource: number;
  /** Milliseconds. */
  readonly handshakeTimeout: number;
  /** Milliseconds without a byte from the laptop. */
  readonly idleTimeout: number;
  /** Milliseconds over which reads are summed up into one record. */
  readonly readSummaryInterval: number;
}

export type WhenUnrecorded = "deny" | "readOnly" | "allow";

export interface Machine {
  readonly name: string;
  readonly description: string;
  readonly whenUnrecorded: WhenUnrecorded;
  /** Sorted by name. */
  readonly services: readonly Service[];
}

export type Service = ModbusService | TcpService;

interface ServiceBase {
  readonly name: string;
  /** TLS 1.2 with the specification's suites is accepted for this service. */
  readonly unsafeTls12: boolean;
}

/** Modbus TCP, or RTU behind a serial line. */
export interface ModbusService extends ServiceBase {
  readonly protocol: "modbus-tcp" | "modbus-rtu";
  /** Modbus TCP: where the machine listens. Exactly one of `tcp` and `serial` is not null. */
  readonly tcp: { readonly host: string; readonly port: number } | null;
  readonly serial: SerialLine | null;
  /** Units that exist behind this service, sorted; empty: any. */
  readonly units: readonly number[];
  /** TCP connections niac opens to the machine at most. */
  readonly maxConnections: number;
  /** Requests a connection carries unanswered at most; 1 for a machine that takes one at a time. */
  readonly maxPending: number;
  /** Requests waiting in niac at most, over all sessions; beyond it, exception 06. */
  readonly maxQueued: number;
  /** Milliseconds; beyond it, exception 0B. */
  readonly requestTimeout: number;
}

export interface SerialLine {
  readonly path: string;
  readonly baudRate: number;
  readonly parity: "none" | "even" | "odd";
  readonly stopBits: 1 | 2;
}

/** Relayed as it is: VNC, SSH, HTTP, S7, EtherNet/IP. */
export interface TcpService extends ServiceBase {
  readonly protocol: "tcp";
  readonly tcp: { readonly host: string; readonly port: number };
}

/** Both ends belong to it. */
export interface Interval {
  readonly start: number;
  readonly end: number;
}

interface Rule {
  readonly name: string;
  readonly reason: string;
  /** Line of the document, counted from 1. */
  readonly line: number;
  readonly who: Who;
  /** `machine/service` pairs it speaks of, sorted; resolved, so never empty unless the rule can never apply. */
  readonly services: readonly string[];
  /** What of Modbus; null: the rule speaks of the service as a whole (a grant then opens tcp services only). */
  readonly modbus: ModbusScope | null;
  readonly when: When | null;
  /** Source networks in CIDR form, e.g. `10.1.0.0/16`, `::1/128`; null: from anywhere. */
  readonly from: readonly string[] | null;
}

export interface Grant extends Rule {
  readonly rate: Rate | null;
}

export type Forbid = Rule;

/** Fields that are not null must all match; within one, any. `anyone` has all null: every verified certificate. */
export interface Who {
  readonly users: readonly string[] | null;
  readonly groups: readonly string[] | null;
  readonly devices: readonly string[] | null;
  readonly roles: readonly string[] | null;
  readonly tiers: readonly string[] | null;
  readonly tenants: readonly string[] | null;
}

export interface ModbusScope {
  /** Unit identifiers; null: any. Merged and sorted. */
  readonly units: readonly Interval[] | null;
  /** Function codes, sorted by code; null: every one, those unknown to niac too (forbids only). */
  readonly functions: readonly FunctionScope[] | null;
  /** Where `reads` and `writes` are both null: any address. Else only what is listed. Merged and sorted by start. */
  readonly reads: Readonly<Partial<Record<Table, readonly Interval[]>>> | null;
  readonly writes: Readonly<Partial<Record<Table, readonly WriteInterval[]>>> | null;
}

export interface FunctionScope {
  readonly code: number;
  /** Sub-functions (8) or MEI types (43), sorted; null: any. */
  readonly subFunctions: readonly number[] | null;
}

/** A write is covered where every value lies in min..max. Intervals of one rule do not overlap. */
export interface WriteInterval extends Interval {
  readonly min: number;
  readonly max: number;
  /** Largest step from the value the machine holds; null: any. Grants only. */
  readonly maxChange: number | null;
}

export interface When {
  /** 0 Monday .. 6 Sunday, sorted; null: every day. */
  readonly days: readonly number[] | null;
  /** Minutes of the day, start inclusive and end exclusive (0..1440); a span over midnight is compiled to two. null: all day. */
  readonly hours: readonly Interval[] | null;
  /** Milliseconds since the epoch; `from` inclusive, `until` exclusive; null: open. */
  readonly from: number | null;
  readonly until: number | null;
}

export interface Rate {
  readonly operationsPerSecond: number | null;
  /** Sessions at once, for each user. */
  readonly connections: number | null;
}

/** Where a machine may itself connect to. */
export interface Destination {
  readonly name: string;
  readonly reason: string;
  readonly line: number;
  /** Machine names, sorted. */
  readonly machines: readonly string[];
  readonly how: "forward" | "inspect" | "wrap";
  readonly host: string;
  readonly ports: readonly Interval[];
  readonly transport: "tcp" | "udp";
}
