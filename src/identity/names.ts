/** Names in certificates: which texts niac takes, and how a name is shown (RFC 4514). */
import type { Attribute, Name } from "./certificate.ts";
import { TAG, type Element } from "./der.ts";
import { refuse } from "./refusal.ts";

/** Characters (UTF-16 units) of any one name, role or tier, and of a distinguished name as shown. */
export const MAX_NAME_LENGTH = 255;

/** Controls, line and paragraph separators, lone surrogates, and all that is invisible or turns the text's direction. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;
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

export const COMMON_NAME = "2.5.4.3";
export const ORGANIZATIONAL_UNIT = "2.5.4.11";

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
function textOf(element: Element): string | null {
  if (element.tag === TAG.utf8String) return utf8Of(element.content);
  const text = asciiOf(element.content);
  if (element.tag === TAG.ia5String) return text;
  if (element.tag === TAG.printableString) return text !== null && PRINTABLE_STRING.test(text) ? text : null;
  return null;
}

/** The subject's values of one type, e.g. all OUs, each checked; `what` names them to the reader: "common name". */
export function subjectNames(subject: Name, type: string, what: string): string[] {
  const attributes = subject.flat().filter((attribute) => attribute.type === type);
  return attributes.map((attribute) => {
    // CN and OU are DirectoryStrings (RFC 5280, appendix A.1): IA5String is none.
    const text = attribute.value.tag === TAG.ia5String ? null : textOf(attribute.value);
    if (text === null) {
      throw refuse(
        "name-encoding",
        `has a ${what} that is not plain text (UTF8String or PrintableString)`,
        "Ask the plant admin for a certificate with names in UTF-8.",
      );
    }
    return checkedName(text, what);
  });
}

/** The text itself, if it can be shown and compared without doubt; else throws `code`. */
export function checkedName(text: string, what: string, code: "bad-name" | "bad-role" = "bad-name"): string {
  const advice = `Ask the plant admin for a certificate with a ${what} of visible characters.`;
  if (text === "") throw refuse(code, `has an empty ${what}`, advice);
  if (text.length > MAX_NAME_LENGTH) {
    throw refuse(
      code,
      `has a ${what} of ${text.length} characters, ${MAX_NAME_LENGTH} are taken at most`,
      advice,
    );
  }
  const unseen = UNSEEN.exec(text);
  if (unseen !== null)
    throw refuse(code, `has a ${what} with ${codePoint(unseen[0])}, which cannot be seen`, advice);
  if (text !== text.trim()) throw refuse(code, `has a ${what} that starts or ends with a space`, advice);
  if (text !== text.normalize("NFC")) {
    throw refuse(code, `has a ${what} whose accents are not in Unicode's composed form (NFC)`, advice);
  }
  return text;
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
  if (text.length <= MAX_NAME_LENGTH) return text;
  // Not through the middle of a surrogate pair.
  return `${text.slice(0, MAX_NAME_LENGTH - 1).replace(/[\uD800-\uDBFF]$/, "")}…`;
}

function codePoint(character: string): string {
  const value = character.codePointAt(0) ?? 0;
  return `U+${value.toString(16).toUpperCase().padStart(4, "0")}`;
}
