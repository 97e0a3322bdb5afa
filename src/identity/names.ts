/** Names in certificates: which texts niac takes. */
import { TAG, textOf, UNSEEN, type Name } from "../x509/index.ts";
import { refuse } from "./refusal.ts";

/** Characters (UTF-16 units) of any one name, role or tier. */
export const MAX_NAME_LENGTH = 255;

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

function codePoint(character: string): string {
  const value = character.codePointAt(0) ?? 0;
  return `U+${value.toString(16).toUpperCase().padStart(4, "0")}`;
}
