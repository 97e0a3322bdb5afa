import { booleanOf, DerReader, only, TAG, bitsOf } from "./der.ts";
import { NO_NAMES, readGeneralNames, type AltNames } from "./general-name.ts";
import { PeerError } from "../base/index.ts";

/** What a list covers, where it is not all that its issuer issued (RFC 5280, section 5.2.5). */
export interface IssuingDistributionPoint {
  readonly onlyUser: boolean;
  readonly onlyCa: boolean;
  readonly onlyAttribute: boolean;
  /** It holds other issuers' certificates as well. */
  readonly indirect: boolean;
  readonly onlySomeReasons: boolean;
  /** Where it is to be had, as the certificates it covers name it. */
  readonly names: AltNames;
}

const WHAT = "the issuing distribution point";
const FULL_NAME = 0xa0;
const RELATIVE_NAME = 0xa1;

/** SEQUENCE { [0] name, [1] onlyUser, [2] onlyCa, [3] onlySomeReasons BIT STRING, [4] indirect, [5] onlyAttribute }, all optional. */
export function readIssuingDistributionPoint(value: Uint8Array): IssuingDistributionPoint {
  const fields = new DerReader(only(value, TAG.sequence, WHAT));
  const point = fields.optional(0xa0, WHAT);
  const flag = (tag: number): boolean => {
    const content = fields.optional(tag, WHAT);
    return content !== null && booleanOf(content, WHAT);
  };
  const onlyUser = flag(0x81);
  const onlyCa = flag(0x82);
  const reasons = fields.optional(0x83, WHAT);
  const indirect = flag(0x84);
  const onlyAttribute = flag(0x85);
  fields.finish(WHAT);
  if (reasons !== null) bitsOf(reasons, WHAT);
  if ([onlyUser, onlyCa, onlyAttribute].filter(Boolean).length > 1) {
    throw new PeerError("crl-scope", `${WHAT} covers two kinds of certificates alone, and so none`);
  }
  const names = point === null ? NO_NAMES : readPoint(point);
  return { onlyUser, onlyCa, onlyAttribute, indirect, onlySomeReasons: reasons !== null, names };
}

/** DistributionPointName (section 4.2.1.13): a full name, or one that goes on from the issuer's. */
function readPoint(content: Uint8Array): AltNames {
  const reader = new DerReader(content);
  const { tag, content: names } = reader.any(WHAT);
  reader.finish(WHAT);
  if (tag === FULL_NAME) return readGeneralNames(names, WHAT);
  if (tag === RELATIVE_NAME) return { ...NO_NAMES, others: 1 };
  throw new PeerError("crl-scope", `${WHAT} has a name of no known kind`);
}
