/** What the appliance's own certificate says; pure. */
import { isIPv4 } from "node:net";
import type { OwnNames } from "../link/index.ts";
import type { Snapshot } from "../site/index.ts";

/**
 * Bytes of names that a certificate has room for: 16 KiB are taken of one at most, and an ML-DSA key and signature with the rest
 * of it take 6.
 */
export const MAX_NAMES_LENGTH = 8_192;
/** Bytes beside the text: a tag and a length of up to three. */
const OVERHEAD = 4;
/** RFC 5280, appendix A.1: ub-common-name. */
const MAX_COMMON_NAME = 64;

/**
 * The appliance's DNS name and those that its services are asked for by, the addresses it has itself, and machines' addresses
 * where it answers at them. `omitted`: what the certificate has no room for, in the order of the site document. `origin`: the
 * appliance's name in the record, which is its name where a site document does not say another.
 */
export function ownNames(
  snapshot: Snapshot,
  origin: string,
  addresses: readonly string[],
): { readonly names: OwnNames; readonly omitted: readonly string[] } {
  const name = dnsName(snapshot.version === 0 ? origin : snapshot.site.appliance);
  const served = snapshot.machines.filter(({ services }) => services.length > 0);
  const atPort = served.filter(({ services }) => services.some(({ tlsPort }) => tlsPort !== null));
  const machineAddresses = atPort.flatMap(({ address }) => (address === null ? [] : [address]));
  const dns = served.length === 0 ? [name] : [name, `*.${name}`];
  const wanted = [
    ...dns.map((text) => ({ text, ip: false })),
    ...addresses.map((text) => ({ text, ip: true })),
    ...served.map((machine) => ({ text: `*.${machine.name}.${name}`, ip: false })),
    ...machineAddresses.map((text) => ({ text, ip: true })),
  ];
  const taken = new Map<string, boolean>();
  const omitted: string[] = [];
  let length = 0;
  for (const { text, ip } of wanted) {
    if (taken.has(text)) continue;
    const more = OVERHEAD + (ip ? (isIPv4(text) ? 4 : 16) : text.length);
    if (length + more > MAX_NAMES_LENGTH) omitted.push(text);
    else {
      length += more;
      taken.set(text, ip);
    }
  }
  const all = [...taken];
  return {
    names: {
      // A name cut short could be somebody else's.
      commonName: name.length > MAX_COMMON_NAME ? name.slice(0, name.indexOf(".")) : name,
      dns: all.filter(([, ip]) => !ip).map(([text]) => text),
      ip: all.filter(([, ip]) => ip).map(([text]) => text),
    },
    omitted,
  };
}

export function sameNames(one: OwnNames, other: OwnNames): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** The record's name for the appliance may have characters that no host name has. */
function dnsName(origin: string): string {
  const labels = origin
    .toLowerCase()
    .replace(/[^a-z0-9.-]+/g, "-")
    .split(".");
  const good = labels
    .map((label) => label.replace(/^-+|-+$/g, "").slice(0, 63))
    .filter((label) => label !== "");
  return good.join(".").slice(0, 253) || "niac";
}

type Interfaces = Readonly<
  Record<string, readonly { readonly address: string; readonly internal: boolean }[] | undefined>
>;

/**
 * The addresses at which clients ask for the appliance itself: those it is told to listen at; and, where it listens at all of them, the
 * uplink's, or of a proxy every one that other computers reach. Link-local ones are good on one cable only and left out.
 */
export function ownAddresses(
  listen: readonly { readonly host: string }[],
  cable: { readonly uplink: string; readonly address: { readonly address: string } | null } | null,
  interfaces: Interfaces,
): string[] {
  const hosts = listen.map(({ host }) => host);
  const named = hosts.filter((host) => !UNSPECIFIED.has(host));
  const uplink = cable === null ? Object.values(interfaces) : [interfaces[cable.uplink]];
  const found = uplink
    .flatMap((list) => list ?? [])
    .filter(({ address, internal }) => !internal && !isLinkLocal(address));
  const all = named.length === hosts.length ? [] : found.map(({ address }) => address);
  const set = cable?.address ? [cable.address.address] : [];
  return [...new Set([...set, ...named, ...all.toSorted()])].slice(0, MAX_ADDRESSES);
}

const UNSPECIFIED: ReadonlySet<string> = new Set(["0.0.0.0", "::"]);
const MAX_ADDRESSES = 32;

function isLinkLocal(address: string): boolean {
  return address.startsWith("169.254.") || /^fe[89ab]/i.test(address);
}
