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
  /** How the appliance stands in the cable; null: it does not, and is a proxy that listens on addresses of its own. */
  readonly network: Network | null;
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
  /** Clients that may connect without a certificate for now. What each may do is a grant of the same name among `grants`, two where it is Modbus and other services. */
  readonly unauthenticated: readonly UnauthenticatedSource[];
  /** Requirements that grants name, sorted by name. */
  readonly postures: readonly PostureRequirement[];
  readonly trust: Trust;
}

/** What a laptop must be like; what is null is not asked for. */
export interface PostureRequirement {
  readonly name: string;
  /** Milliseconds from the making of a report until it is stale. */
  readonly maxAge: number;
  /** Whose report counts: the laptop's own, a management system's, or either. */
  readonly signedBy: "laptop" | "management" | "any";
  readonly diskEncryption: true | null;
  readonly edr: true | null;
  /** At least this version, dotted numbers; of a system that is not listed no version will do. Null: any system, any version. */
  readonly osVersion: Readonly<Partial<Record<"linux" | "windows" | "macos", string>>> | null;
}

/** Beyond the appliance's own authority. */
export interface Trust {
  /** Sorted by name. */
  readonly authorities: readonly OutsideAuthority[];
  readonly signIn: SignIn | null;
  /** Management systems whose posture reports are taken: name, and PEM of the public key. Sorted by name. */
  readonly postureSigners: readonly { readonly name: string; readonly key: string }[];
}

/** An issuer of clients' certificates that is not this appliance's. */
export interface OutsideAuthority {
  readonly name: string;
  /** PEM of the issuing authority's certificate, one; and of those above it up to the root, in that order. */
  readonly certificate: string;
  readonly above: readonly string[];
  readonly tenant: string | null;
  /** The tier of all it issued; null: what the certificate claims. */
  readonly tier: string | null;
  /** How revocation is known; `unchecked` is a weakening and on record. */
  readonly revocation: "crl" | "ocsp" | "unchecked";
  /** Where its list is fetched, http or https; null: it is brought by hand. */
  readonly crlUrl: string | null;
  /** Milliseconds between fetches. */
  readonly crlEvery: number;
  readonly ocspUrl: string | null;
  /** Where revocation cannot be known, whom to let in all the same and how long after it last could be; null: nobody. */
  readonly grace: {
    readonly name: string;
    readonly reason: string;
    readonly groups: readonly string[];
    readonly milliseconds: number;
  } | null;
}

/** OpenID Connect: who may enrol by signing in. */
export interface SignIn {
  /** URL of the provider, as its discovery document says. */
  readonly issuer: string;
  readonly clientId: string;
  /** Some providers hand one to native programs and demand it; it is no secret. */
  readonly clientSecret: string | null;
  readonly scopes: readonly string[];
  /** Claims of the ID token that hold the user and the groups. */
  readonly userClaim: string;
  readonly groupsClaim: string | null;
  readonly tier: "managed" | "byod" | "contractor";
  readonly tenant: string | null;
  /** PEM of the authority that the provider's own HTTPS certificate is checked against; null: the system's. */
  readonly ca: string | null;
}

export interface Network {
  /** inline: machines keep their addresses in the plant's network; routed: the device port is a subnet of its own. */
  readonly mode: "inline" | "routed";
  /** What whoever is refused gets: a TCP reset or ICMP administratively prohibited (RFC 1812, 5.2.7.1), or nothing. */
  readonly refusal: "reset" | "silent";
  /** Of `routed`: the appliance's own IPv4 address on the device port; every machine's address lies in that subnet. */
  readonly device: { readonly address: string; readonly prefix: number; readonly dhcp: boolean } | null;
  /** IPv4 addresses of the DNS servers that the appliance itself asks for destinations given by name, in order. */
  readonly nameServers: readonly string[];
  /** IPv4 addresses of the NTP servers that machines may ask; the appliance asks them itself and answers. In order. */
  readonly timeServers: readonly string[];
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
  /** The machine's own IPv4 address; null: it has none (a serial line), or is reached by its services' addresses alone. */
  readonly address: string | null;
  /** Six octets, lower case, with colons; never null where `address` is not and the site has a `network`. */
  readonly mac: string | null;
  /** An echo request from the plant network is passed on to it. */
  readonly ping: boolean;
  /**
   * The appliance's inner address (198.18.0.0/16, RFC 2544) from which the gateway connects where a destination is to see the
   * machine's own address; the kernel puts that in its place. Null where `address` is.
   */
  readonly standIn: string | null;
  /** Sorted by name. */
  readonly services: readonly Service[];
}

export type Service = ModbusService | TcpService;

interface ServiceBase {
  readonly name: string;
  /** TLS 1.2 with the specification's suites is accepted for this service. */
  readonly unsafeTls12: boolean;
  /** Port of the machine's own address at which the appliance answers for this service with mutual TLS; null: none. */
  readonly tlsPort: number | null;
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
  /** Milliseconds from sending; beyond it, exception 0B. */
  readonly requestTimeout: number;
  /** Milliseconds until it is sent; beyond it, exception 06. */
  readonly queueTimeout: number;
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
  /** Names of requirements, each of which the laptop must meet; null: none. */
  readonly posture: readonly string[] | null;
  readonly rate: Rate | null;
}

export type Forbid = Rule;

/**
 * Fields that are not null must all match; within one, any. `anyone` has all null: in a grant every verified certificate, in a
 * forbid every client there is, those without a certificate and machines included.
 */
export interface Who {
  readonly users: readonly string[] | null;
  readonly groups: readonly string[] | null;
  readonly devices: readonly string[] | null;
  readonly roles: readonly string[] | null;
  readonly tiers: readonly string[] | null;
  readonly tenants: readonly string[] | null;
  /** Names of unauthenticated sources. */
  readonly sources: readonly string[] | null;
  /** Names of machines, for what they ask of destinations. */
  readonly machines: readonly string[] | null;
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
  /** Position of the key switch at the box; null: any. While it is not known, no grant that names one holds, and every forbid does. */
  readonly keySwitch: "on" | "off" | null;
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
  /** One port where `how` is inspect or wrap. */
  readonly ports: readonly Interval[];
  readonly transport: "tcp" | "udp";
  /** IPv4 address at which machines reach it: `host` where that is one, else an inner one (198.19.0.0/16) that niac's DNS gives out. */
  readonly address: string;
  /** DNS names that machines may look up for it, in lower case, sorted. */
  readonly names: readonly string[];
  /** Whose address the destination sees. */
  readonly source: "machine" | "appliance";
  /**
   * Of inspect and wrap: the service behind it, as `<destination>/<service>` in the grant of the destination's name that says which
   * machines may do what. wrap: `tcp.port` is the port of the TLS server, which need not be the one the machine asks for.
   */
  readonly service: Service | null;
  /** Of wrap: the name asked for by SNI and demanded of the server's certificate. */
  readonly serverName: string | null;
}

/** A client told by address alone, until it has a certificate. */
export interface UnauthenticatedSource {
  readonly name: string;
  /** Who answers for it, as written. */
  readonly owner: string;
  readonly reason: string;
  readonly line: number;
  /** IPv4. */
  readonly address: string;
  /** Of the client itself, or of the router it comes through; six octets, lower case, with colons. */
  readonly mac: string;
  /** `machine/service` pairs, sorted. */
  readonly services: readonly string[];
  /** Milliseconds since the epoch, exclusive. */
  readonly until: number;
}
