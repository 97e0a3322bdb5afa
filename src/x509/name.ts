/** Distinguished names (RFC 5280, section 4.1.2.4): read as they stand, and written in UTF-8. */
import { UsageError } from "../base/index.ts";
import { DerReader, oidText, only, TAG, type Element } from "./der.ts";
import { ia5String, oid, printableString, sequence, set, utf8String } from "./der-writer.ts";

/** Relative distinguished names in their encoded order, the outermost first. */
export type Name = readonly (readonly Attribute[])[];

export interface Attribute {
  readonly type: string;
  readonly value: Element;
}

export const COMMON_NAME = "2.5.4.3";
export const ORGANIZATIONAL_UNIT = "2.5.4.11";

export function readName(der: Uint8Array, what: string): Name {
  const rdns = new DerReader(only(der, TAG.sequence, what));
  const name: Attribute[][] = [];
  while (!rdns.done) {
    const rdn = new DerReader(rdns.take(TAG.set, what));
    const attributes: Attribute[] = [];
    do {
      const fields = new DerReader(rdn.take(TAG.sequence, what));
      const type = oidText(fields.take(TAG.oid, what));
      attributes.push({ type, value: fields.any(what) });
      fields.finish(what);
    } while (!rdn.done);
    name.push(attributes);
  }
  return name;
}

/** Type, encoding and upper bound in characters (RFC 5280, appendix A.1; RFC 4519 for DC and UID). */
const ATTRIBUTES = {
  CN: { type: COMMON_NAME, encode: utf8String, max: 64 },
  O: { type: "2.5.4.10", encode: utf8String, max: 64 },
  OU: { type: ORGANIZATIONAL_UNIT, encode: utf8String, max: 64 },
  L: { type: "2.5.4.7", encode: utf8String, max: 128 },
  ST: { type: "2.5.4.8", encode: utf8String, max: 128 },
  C: { type: "2.5.4.6", encode: printableString, max: 2 },
  serialNumber: { type: "2.5.4.5", encode: printableString, max: 64 },
  UID: { type: "0.9.2342.19200300.100.1.1", encode: utf8String, max: 256 },
  DC: { type: "0.9.2342.19200300.100.1.25", encode: ia5String, max: 63 },
} as const;

export type AttributeName = keyof typeof ATTRIBUTES;

/**
 * DER of a Name, the outermost attribute first: `[["O", "Plant 7"], ["CN", "alice"]]`. Throws a UsageError for an empty value or
 * one that is longer than RFC 5280 allows, so that no certificate goes out that another reader refuses.
 */
export function makeName(attributes: readonly (readonly [AttributeName, string])[]): Buffer {
  return sequence(
    ...attributes.map(([short, text]) => {
      const { type, encode, max } = ATTRIBUTES[short];
      const characters = Array.from(text).length;
      if (characters === 0 || characters > max) {
        throw new UsageError(
          "name-length",
          `${short} of a certificate's name has ${characters} characters, not 1 to ${max}`,
          "Choose another name (RFC 5280, appendix A.1).",
        );
      }
      return set(sequence(oid(type), encode(text)));
    }),
  );
}
