import { integer, oid, sequence, set, utf8String } from "./der-writer.ts";
import { subjectAltName } from "./extension-maker.ts";
import type { AltName } from "./general-name.ts";
import { publicKeyInfoOf, type KeyPair } from "./keys.ts";
import { ATTRIBUTE } from "./request.ts";
import { signed } from "./signature.ts";

export interface RequestTemplate {
  /** DER of a Name: `makeName`. */
  readonly subject: Uint8Array;
  readonly altNames?: readonly AltName[];
  readonly challengePassword?: string;
}

/** DER of a PKCS#10 request, signed with the key it is for. */
export function makeRequest(template: RequestTemplate, keys: KeyPair): Buffer {
  return signed(requestInfo(template, publicKeyInfoOf(keys.publicKey)), keys.privateKey);
}

/** What a request's signature covers, for a key that is no KeyObject: the token that holds it signs. */
export function requestInfo(template: RequestTemplate, publicKeyInfo: Uint8Array): Buffer {
  const { subject, altNames = [], challengePassword } = template;
  const attributes = [
    ...(altNames.length === 0
      ? []
      : [attribute(ATTRIBUTE.extensionRequest, sequence(subjectAltName(altNames)))]),
    ...(challengePassword === undefined
      ? []
      : [attribute(ATTRIBUTE.challengePassword, utf8String(challengePassword))]),
  ];
  // [0] IMPLICIT takes the place of the SET's own tag.
  const field = set(...attributes);
  field[0] = 0xa0;
  return sequence(integer(0), subject, publicKeyInfo, field);
}

function attribute(type: string, value: Uint8Array): Buffer {
  return sequence(oid(type), set(value));
}
