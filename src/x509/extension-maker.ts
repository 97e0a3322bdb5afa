/** Extensions, each as DER of a whole Extension, and critical exactly where RFC 5280 says so. */
import { createHash } from "node:crypto";
import { BugError, UsageError } from "../base/index.ts";
import {
  ascii,
  bitString,
  boolean,
  integer,
  octetString,
  oid,
  sequence,
  tagged,
  utf8String,
} from "./der-writer.ts";
import { EXTENSION, KEY_USAGES, PURPOSE, type KeyUsage } from "./extension.ts";
import { GENERAL_NAME, ipBytes, makeGeneralName, type AltName } from "./general-name.ts";
import { readPublicKey } from "./keys.ts";

export function makeExtension(type: string, value: Uint8Array, critical: boolean): Buffer {
  return sequence(oid(type), ...(critical ? [boolean(true)] : []), octetString(value));
}

/** Section 4.2.1.9. `pathLength`: how many authorities may stand below, not counting the leaf; null: any number. */
export function basicConstraints(constraints: {
  readonly ca: boolean;
  readonly pathLength?: number | null;
}): Buffer {
  const { ca, pathLength = null } = constraints;
  if (!ca && pathLength !== null) throw new BugError("path-length", "a path length belongs to an authority");
  const fields = [...(ca ? [boolean(true)] : []), ...(pathLength === null ? [] : [integer(pathLength)])];
  return makeExtension(EXTENSION.basicConstraints, sequence(...fields), true);
}

/** Section 4.2.1.3: bits named, without trailing zeros (X.690, section 11.2.2). */
export function keyUsage(usages: readonly KeyUsage[]): Buffer {
  const bits = usages.map((usage) => KEY_USAGES.indexOf(usage));
  const last = Math.max(...bits);
  if (bits.length === 0)
    throw new BugError("key-usage", "a key is for something (RFC 5280, section 4.2.1.3)");
  const bytes = Buffer.alloc((last >> 3) + 1);
  for (const bit of bits) bytes[bit >> 3]! |= 0x80 >> (bit & 7);
  return makeExtension(EXTENSION.keyUsage, bitString(bytes, 7 - (last & 7)), true);
}

/** Section 4.2.1.12: the purposes' names, or object identifiers. */
export function extendedKeyUsage(purposes: readonly string[]): Buffer {
  const known: ReadonlyMap<string, string> = new Map(Object.entries(PURPOSE));
  const list = purposes.map((purpose) => oid(known.get(purpose) ?? purpose));
  return makeExtension(EXTENSION.extendedKeyUsage, listOf(list), false);
}

/** Section 4.2.1.6: critical where the subject is empty. */
export function subjectAltName(names: readonly AltName[], subjectIsEmpty = false): Buffer {
  return makeExtension(EXTENSION.subjectAltName, listOf(names.map(makeGeneralName)), subjectIsEmpty);
}

/** What stands for a key: the leftmost 160 bits of the SHA-256 of its bits (RFC 7093, section 2, method 1). */
export function keyIdOf(publicKeyInfo: Uint8Array): Buffer {
  return createHash("sha256").update(readPublicKey(publicKeyInfo).bytes).digest().subarray(0, 20);
}

/** Section 4.2.1.2, with `keyIdOf` the key. */
export function subjectKeyIdentifier(publicKeyInfo: Uint8Array): Buffer {
  return makeExtension(EXTENSION.subjectKeyIdentifier, octetString(keyIdOf(publicKeyInfo)), false);
}

/** Section 4.2.1.1. `keyId`: that of the issuer's own subject key identifier. */
export function authorityKeyIdentifier(keyId: Uint8Array): Buffer {
  return makeExtension(EXTENSION.authorityKeyIdentifier, sequence(tagged(0x80, keyId)), false);
}

/** Section 4.2.1.13: one distribution point for each address. */
export function crlDistributionPoints(uris: readonly string[]): Buffer {
  const points = uris.map((uri) => sequence(tagged(0xa0, tagged(0xa0, makeGeneralName({ uri })))));
  return makeExtension(EXTENSION.crlDistributionPoints, listOf(points), false);
}

/** Section 4.2.2.1. */
export function authorityInformationAccess(access: {
  readonly caIssuers?: readonly string[];
  readonly ocsp?: readonly string[];
}): Buffer {
  const all = [
    ...descriptions("1.3.6.1.5.5.7.48.1", access.ocsp),
    ...descriptions("1.3.6.1.5.5.7.48.2", access.caIssuers),
  ];
  return makeExtension(EXTENSION.authorityInformationAccess, listOf(all), false);
}

function descriptions(method: string, uris: readonly string[] = []): Buffer[] {
  return uris.map((uri) => sequence(oid(method), makeGeneralName({ uri })));
}

export interface NameSubtrees {
  /** `plant.example`: the name and all below it; `.plant.example`: those below it alone. */
  readonly dns?: readonly string[];
  /** Host names of URIs; a URN has none, and OpenSSL then refuses the certificate. */
  readonly uri?: readonly string[];
  /** `10.0.0.0/8`, `2001:db8::/32`. */
  readonly ip?: readonly string[];
  /** DER of Names: what starts with one of them. */
  readonly directory?: readonly Uint8Array[];
}

/** Section 4.2.1.10. Of a kind of name that is not listed, all are permitted. */
export function nameConstraints(constraints: {
  readonly permitted?: NameSubtrees;
  readonly excluded?: NameSubtrees;
}): Buffer {
  const field = (tag: number, subtrees: NameSubtrees = {}): Buffer[] => {
    const bases = basesOf(subtrees);
    return bases.length === 0 ? [] : [tagged(tag, ...bases.map((base) => sequence(base)))];
  };
  const fields = [...field(0xa0, constraints.permitted), ...field(0xa1, constraints.excluded)];
  return makeExtension(EXTENSION.nameConstraints, listOf(fields), true);
}

/** MODBUS/TCP Security, R-20 to R-22: one UTF8String, not critical. */
export function modbusRole(role: string): Buffer {
  return makeExtension(EXTENSION.role, utf8String(role), false);
}

/** None of these lists may be empty (SIZE (1..MAX)). */
function listOf(parts: readonly Uint8Array[]): Buffer {
  if (parts.length === 0) throw new BugError("empty-extension", "an extension that lists nothing");
  return sequence(...parts);
}

function basesOf({ dns = [], uri = [], ip = [], directory = [] }: NameSubtrees): Buffer[] {
  return [
    ...dns.map((name) => tagged(GENERAL_NAME.dns, ascii(name))),
    ...uri.map((name) => tagged(GENERAL_NAME.uri, ascii(name))),
    ...ip.map((block) => tagged(GENERAL_NAME.ip, blockBytes(block))),
    // Name is a CHOICE, whose tags are explicit (X.680, section 31.2.7).
    ...directory.map((name) => tagged(GENERAL_NAME.directory, name)),
  ];
}

/** Address and mask, one after the other. */
function blockBytes(block: string): Buffer {
  const [address = "", prefix, ...rest] = block.split("/");
  const bytes = ipBytes(address);
  const bits = rest.length === 0 && prefix !== undefined && /^\d{1,3}$/.test(prefix) ? Number(prefix) : -1;
  if (bits < 0 || bits > bytes.length * 8) {
    throw new UsageError("ip-block", `"${block}" is no block of addresses`, "Write 10.0.0.0/8.");
  }
  const mask = bytes.map((_, at) => 0xff & ~(0xff >> Math.min(8, Math.max(0, bits - at * 8))));
  if (bytes.some((byte, at) => (byte & ~mask[at]!) !== 0)) {
    throw new UsageError("ip-block", `"${block}" has bits set beyond its prefix`, "Write its first address.");
  }
  return Buffer.concat([bytes, mask]);
}
