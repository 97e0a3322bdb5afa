import type { KeyObject } from "node:crypto";
import { BugError } from "../base/index.ts";
import { CRL_REASONS, crlReasonNumber, ENTRY_EXTENSION, type CrlReason } from "./crl-entry.ts";
import { enumerated, integer, sequence, tagged, time } from "./der-writer.ts";
import { EXTENSION } from "./extension.ts";
import { authorityKeyIdentifier, makeExtension } from "./extension-maker.ts";
import { signatureFor, signed } from "./signature.ts";

export interface CrlTemplate {
  /** The issuer's subject, DER, byte by byte. */
  readonly issuer: Uint8Array;
  /** Milliseconds since the epoch. */
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  /** Goes up with each list of this issuer (RFC 5280, section 5.2.3). */
  readonly number: bigint;
  readonly entries: Iterable<RevokedSerial>;
  /** The issuer's own subject key identifier. */
  readonly authorityKeyId: Uint8Array;
  /** The number of the complete list that this one changes; without: this one is complete. */
  readonly delta?: bigint;
}

export interface RevokedSerial {
  /** Hexadecimal. */
  readonly serialNumber: string;
  /** Milliseconds since the epoch. */
  readonly revokedAt: number;
  readonly reason: CrlReason;
}

/** DER of a version 2 list, signed with the issuer's key by the key's own algorithm. */
export function makeCrl(template: CrlTemplate, issuerKey: KeyObject): Buffer {
  const { issuer, thisUpdate, nextUpdate, number, authorityKeyId, delta } = template;
  const entries = Buffer.concat(
    Array.from(template.entries, (entry) => makeEntry(entry, delta !== undefined)),
  );
  const extensions = sequence(
    authorityKeyIdentifier(authorityKeyId),
    makeExtension(EXTENSION.crlNumber, integer(number), false),
    ...(delta === undefined ? [] : [makeExtension(EXTENSION.deltaCrlIndicator, integer(delta), true)]),
  );
  const toBeSigned = sequence(
    integer(1),
    signatureFor(issuerKey).algorithmDer,
    issuer,
    time(thisUpdate),
    time(nextUpdate),
    // Absent where nothing is revoked (section 5.1.2.6).
    ...(entries.length === 0 ? [] : [sequence(entries)]),
    tagged(0xa0, extensions),
  );
  return signed(toBeSigned, issuerKey);
}

const NOTHING = new Uint8Array();
/** Unspecified is said by saying nothing (section 5.3.1). */
const REASON_EXTENSIONS: ReadonlyMap<CrlReason, Uint8Array> = new Map(
  CRL_REASONS.filter((reason) => reason !== "unspecified").map((reason) => {
    const code = enumerated(crlReasonNumber(reason));
    return [reason, sequence(makeExtension(ENTRY_EXTENSION.reason, code, false))];
  }),
);

function makeEntry({ serialNumber, revokedAt, reason }: RevokedSerial, isDelta: boolean): Buffer {
  if (!/^(?:[0-9a-f]{2})+$/.test(serialNumber)) {
    throw new BugError("serial-number", `"${serialNumber}" is no serial number in hexadecimal`);
  }
  if (reason === "removeFromCRL" && !isDelta) {
    throw new BugError("crl-reason", "only a delta can take a certificate off a list");
  }
  const serial = integer(Buffer.from(serialNumber, "hex"));
  return sequence(serial, time(revokedAt), REASON_EXTENSIONS.get(reason) ?? NOTHING);
}
