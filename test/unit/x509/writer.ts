/** Certificates of any shape, the wrong ones too, written byte by byte; signed with a key that lives as long as the test. */
import { createPublicKey, generateKeyPairSync, sign, type KeyObject } from "node:crypto";

export const NOW = Date.UTC(2026, 5, 15, 12, 0, 0);
export const OID = {
  cn: "2.5.4.3",
  o: "2.5.4.10",
  ou: "2.5.4.11",
  dc: "0.9.2342.19200300.100.1.25",
  san: "2.5.29.17",
  keyUsage: "2.5.29.15",
  basicConstraints: "2.5.29.19",
  eku: "2.5.29.37",
  role: "1.3.6.1.4.1.50316.802.1",
  clientAuth: "1.3.6.1.5.5.7.3.2",
  serverAuth: "1.3.6.1.5.5.7.3.1",
  anyEku: "2.5.29.37.0",
} as const;

export function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.of(tag, length), content]);
  if (length < 0x100) return Buffer.concat([Buffer.of(tag, 0x81, length), content]);
  return Buffer.concat([Buffer.of(tag, 0x82, length >> 8, length & 0xff), content]);
}

export const seq = (...parts: readonly Uint8Array[]): Buffer => der(0x30, ...parts);
export const set = (...parts: readonly Uint8Array[]): Buffer => der(0x31, ...parts);
export const int = (...bytes: readonly number[]): Buffer => der(0x02, Buffer.from(bytes));
export const bits = (unused: number, bytes: Uint8Array): Buffer => der(0x03, Buffer.of(unused), bytes);
export const utf8 = (text: string): Buffer => der(0x0c, Buffer.from(text));
export const printable = (text: string): Buffer => der(0x13, Buffer.from(text, "latin1"));
export const ia5 = (text: string): Buffer => der(0x16, Buffer.from(text, "latin1"));
export const TRUE = der(0x01, Buffer.of(0xff));

export function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split(".").map(Number);
  const bytes = [first * 40 + second, ...rest].flatMap((arc) => {
    const groups = [arc & 0x7f];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128))
      groups.unshift((left & 0x7f) | 0x80);
    return groups;
  });
  return der(0x06, Buffer.from(bytes));
}

export function time(at: number): Buffer {
  return der(0x18, Buffer.from(`${new Date(at).toISOString().slice(0, 19).replaceAll(/[-T:]/g, "")}Z`));
}

/** One attribute an RDN. */
export function name(...attributes: readonly (readonly [type: string, value: Uint8Array])[]): Buffer {
  return seq(...attributes.map(([type, value]) => set(seq(oid(type), value))));
}

export function extension(type: string, value: Uint8Array, critical = false): Buffer {
  return seq(oid(type), ...(critical ? [TRUE] : []), der(0x04, value));
}

/** URIs, or `DNS:` names. */
export function alternativeNames(...names: readonly string[]): Buffer {
  const parts = names.map((text) =>
    text.startsWith("DNS:") ? der(0x82, Buffer.from(text.slice(4))) : der(0x86, Buffer.from(text)),
  );
  return extension(OID.san, seq(...parts));
}

export const usage = (...purposes: readonly string[]): Buffer =>
  extension(OID.eku, seq(...purposes.map(oid)));
export const role = (text: string): Buffer => extension(OID.role, utf8(text));

export interface Parts {
  readonly version?: Uint8Array;
  readonly serial?: Uint8Array;
  readonly algorithm?: Uint8Array;
  /** The algorithm next to the signature; default: the same. */
  readonly outerAlgorithm?: Uint8Array;
  readonly issuer?: Uint8Array;
  readonly validity?: Uint8Array;
  readonly subject?: Uint8Array;
  /** SubjectPublicKeyInfo. */
  readonly key?: Uint8Array;
  /** Default: a client's key usages. */
  readonly extensions?: readonly Uint8Array[];
  /** Further extensions after those. */
  readonly more?: readonly Uint8Array[];
  /** Between the key and the extensions. */
  readonly uniqueIds?: readonly Uint8Array[];
  readonly signer?: KeyObject;
}

const authority = generateKeyPairSync("ec", { namedCurve: "P-256" });
export const ecdsaSha256 = seq(oid("1.2.840.10045.4.3.2"));

export function spkiOf(key: KeyObject): Buffer {
  return createPublicKey(key).export({ type: "spki", format: "der" });
}

const leafKey = spkiOf(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey);
export const clientExtensions: readonly Uint8Array[] = [
  extension(OID.basicConstraints, seq(), true),
  extension(OID.keyUsage, bits(7, Buffer.of(0x80)), true),
  usage(OID.clientAuth),
];

/** A client's certificate that is in order but for what `parts` changes: CN=alice, valid for a day around NOW. */
export function certificate(parts: Parts = {}): Buffer {
  const algorithm = parts.algorithm ?? ecdsaSha256;
  const toBeSigned = seq(
    parts.version ?? der(0xa0, int(2)),
    parts.serial ?? int(0x01, 0x02, 0xab),
    algorithm,
    parts.issuer ?? name([OID.cn, utf8("Plant Issuing")]),
    parts.validity ?? seq(time(NOW - 43_200_000), time(NOW + 43_200_000)),
    parts.subject ?? name([OID.cn, utf8("alice")]),
    parts.key ?? leafKey,
    ...(parts.uniqueIds ?? []),
    der(0xa3, seq(...(parts.extensions ?? clientExtensions), ...(parts.more ?? []))),
  );
  const signature = sign("sha256", toBeSigned, parts.signer ?? authority.privateKey);
  return seq(toBeSigned, parts.outerAlgorithm ?? algorithm, bits(0, signature));
}
