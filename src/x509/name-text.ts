/** Names as text: which encodings are read, and how a name is shown (RFC 4514). */
import { TAG, type Element } from "./der.ts";
import { COMMON_NAME, type Attribute, type Name } from "./name.ts";

/** Characters (UTF-16 units) of a distinguished name as shown. */
const MAX_TEXT_LENGTH = 255;

/** Controls, line and paragraph separators, lone surrogates, and all that is invisible or turns the text's direction. */
export const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;
const TO_ESCAPE = new RegExp(`["+,;<>\\\\]|^[ #]| $|${UNSEEN.source}`, "gu");
const PRINTABLE_STRING = /^[A-Za-z0-9 '()+,\-./:=?]*$/;

/** RFC 4514, section 3, and what else plant authorities put into names. */
const SHORT_NAMES: Readonly<Record<string, string>> = {
  "2.5.4.3": "CN",
  "2.5.4.4": "SN",
  "2.5.4.5": "serialNumber",
  "2.5.4.6": "C",
  "2.5.4.7": "L",
  "2.5.4.8": "ST",
  "2.5.4.9": "street",
  "2.5.4.10": "O",
  "2.5.4.11": "OU",
  "2.5.4.12": "title",
  "2.5.4.42": "GN",
  "0.9.2342.19200300.100.1.1": "UID",
  "0.9.2342.19200300.100.1.25": "DC",
  "1.2.840.113549.1.9.1": "emailAddress",
};

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Null for bytes that are not UTF-8. */
export function utf8Of(bytes: Uint8Array): string | null {
  try {
    return utf8.decode(bytes);
  } catch {
    return null;
  }
}

/** Null for bytes beyond ASCII. */
export function asciiOf(bytes: Uint8Array): string | null {
  return bytes.every((byte) => byte < 0x80) ? Buffer.from(bytes).toString("latin1") : null;
}

/**
 * UTF8String, PrintableString and IA5String; null for anything else. BMPString, UniversalString and T61String are not
 * read: RFC 5280 has had them on the way out since 2004, and T61 means different things to different readers.
 */
export function textOf(element: Element): string | null {
  if (element.tag === TAG.utf8String) return utf8Of(element.content);
  const text = asciiOf(element.content);
  if (element.tag === TAG.ia5String) return text;
  if (element.tag === TAG.printableString) return text !== null && PRINTABLE_STRING.test(text) ? text : null;
  return null;
}

/** RFC 4514: the innermost name first, always printable; what would not be stands as `\0A`. Cut at 255 characters. */
export function nameText(name: Name): string {
  const rdns = name.map((attributes) => attributes.map(attributeText).join("+"));
  return shortened(rdns.toReversed().join(","));
}

/** Who a message speaks of: `CN=alice`, or the whole name where there is no CN. */
export function whoText(subject: Name): string {
  const cn = subject.flat().find((attribute) => attribute.type === COMMON_NAME);
  return cn === undefined ? nameText(subject) : shortened(attributeText(cn));
}

function attributeText(attribute: Attribute): string {
  const short = SHORT_NAMES[attribute.type];
  const text = short === undefined ? null : textOf(attribute.value);
  // A type or an encoding that has no text: section 2.4, the DER in hexadecimal.
  if (text === null) return `${short ?? attribute.type}=#${hexOf(attribute.value.whole)}`;
  return `${short}=${escaped(text)}`;
}

/** RFC 4514, section 2.4. */
function escaped(text: string): string {
  return text.replaceAll(TO_ESCAPE, (character) =>
    UNSEEN.test(character) ? hexOf(Buffer.from(character)).replaceAll(/../g, "\\$&") : `\\${character}`,
  );
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex").toUpperCase();
}

function shortened(text: string): string {
  if (text.length <= MAX_TEXT_LENGTH) return text;
  // Not through the middle of a surrogate pair.
  return `${text.slice(0, MAX_TEXT_LENGTH - 1).replace(/[\uD800-\uDBFF]$/, "")}…`;
}
