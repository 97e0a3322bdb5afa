/**
 * What a certificate claims, and where it stands:
 *
 * | claim  | stands in                                                          | example                                    |
 * | ------ | ------------------------------------------------------------------ | ------------------------------------------ |
 * | user   | the subject's CN, exactly one                                      | `CN=alice`                                 |
 * | groups | every OU of the subject, and SAN URIs `urn:niac:group:`            | `OU=maintenance`, `urn:niac:group:line%204` |
 * | device | the SAN URI `urn:niac:device:`, else the SAN dNSName if there is one and no more | `urn:niac:device:laptop-7`   |
 * | tier   | the SAN URI `urn:niac:tier:`                                       | `urn:niac:tier:gold`                       |
 * | role   | the MODBUS/TCP Security role extension              | UTF8String `Operator`                      |
 *
 * Names after `urn:niac:` are percent-encoded UTF-8. Names come out exactly as they stand, letter case too: `|`, `=`, `]`,
 * `,` are letters like any other. What could be read in two ways (two CNs, roles, devices or tiers) is refused.
 */
import { PeerError } from "../base/index.ts";
import {
  asciiOf,
  COMMON_NAME,
  DerReader,
  EXTENSION,
  extensionOf,
  only,
  ORGANIZATIONAL_UNIT,
  TAG,
  utf8Of,
  type Certificate,
} from "../x509/index.ts";
import type { Identity } from "./identity.ts";
import { checkedName, subjectNames } from "./names.ts";
import { refuse } from "./refusal.ts";

export type Claims = Pick<Identity, "user" | "device" | "groups" | "role" | "tier">;

export const MAX_GROUPS = 64;

/** GeneralName (RFC 5280, section 4.2.1.6): its tags, of which niac reads two. */
const DNS_NAME = 0x82;
const URI = 0x86;
const GENERAL_NAMES: readonly number[] = [0xa0, 0x81, DNS_NAME, 0xa3, 0xa4, 0xa5, URI, 0x87, 0x88];

/** A name's characters in a URN (RFC 8141, section 2); `?` and `#` would start something else. */
const URN_NAME = /^(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})+$/;
const HOST_NAME = /^[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?$/;

export function readClaims(certificate: Certificate): Claims {
  const users = subjectNames(certificate.subject, COMMON_NAME, "common name");
  const [user] = users;
  if (user === undefined) {
    throw refuse(
      "no-name",
      "has no common name (CN)",
      "Ask the plant admin for a certificate that names the user.",
    );
  }
  if (users.length > 1) {
    throw refuse(
      "name-twice",
      `has ${users.length} common names (CN), so whose it is cannot be told`,
      "Ask the plant admin for a certificate with one common name.",
    );
  }
  const names = readAlternativeNames(certificate);
  const units = subjectNames(certificate.subject, ORGANIZATIONAL_UNIT, "organizational unit (OU)");
  const groups = [...new Set([...units, ...names.groups])].toSorted();
  if (groups.length > MAX_GROUPS) {
    throw refuse(
      "too-many-groups",
      `claims ${groups.length} groups, ${MAX_GROUPS} are taken at most`,
      "Ask the plant admin for a certificate with fewer groups; the site document can hold the rest.",
    );
  }
  return {
    user,
    device: deviceOf(names),
    groups,
    role: readRole(certificate),
    tier: single(names.tiers, "tier"),
  };
}

/** The whole UTF8String of the one role extension; null: there is none, the NULL role. */
function readRole(certificate: Certificate): string | null {
  const value = extensionOf(certificate, EXTENSION.role);
  if (value === null) return null;
  const text = utf8String(value);
  if (text === null) {
    throw refuse(
      "role-encoding",
      "has a role extension that is not one UTF8String (MODBUS/TCP Security, R-21)",
      "Ask the plant admin for a certificate whose role is encoded as a UTF8String.",
    );
  }
  // An empty role is not R-23's "no role": it says that there is one and does not say which.
  return checkedName(text, "role", "bad-role");
}

/** The text of the UTF8String that `value` is, without a byte more; null: it is anything else. */
function utf8String(value: Uint8Array): string | null {
  try {
    return utf8Of(only(value, TAG.utf8String, "the role"));
  } catch (error) {
    if (error instanceof PeerError) return null;
    throw error;
  }
}

interface AlternativeNames {
  readonly groups: string[];
  readonly devices: string[];
  readonly tiers: string[];
  readonly hosts: string[];
}

function readAlternativeNames(certificate: Certificate): AlternativeNames {
  const found: AlternativeNames = { groups: [], devices: [], tiers: [], hosts: [] };
  const value = extensionOf(certificate, EXTENSION.subjectAltName);
  if (value === null) return found;
  const names = new DerReader(only(value, TAG.sequence, "the alternative names"));
  while (!names.done) {
    const { tag, content } = names.any("an alternative name");
    if (!GENERAL_NAMES.includes(tag)) throw unreadableName();
    if (tag !== DNS_NAME && tag !== URI) continue;
    const text = asciiOf(content);
    if (text === null) throw unreadableName();
    if (tag === DNS_NAME) found.hosts.push(text);
    else readUri(text, found);
  }
  return found;
}

function readUri(uri: string, found: AlternativeNames): void {
  // "urn" and the namespace are the same in any letter case (RFC 8141, section 3.1).
  if (!/^urn:niac:/i.test(uri)) return;
  const [, kind, encoded] = /^([^:]*):(.*)$/s.exec(uri.slice("urn:niac:".length)) ?? [];
  if (kind === "group") found.groups.push(decoded(encoded, "group"));
  else if (kind === "device") found.devices.push(decoded(encoded, "device"));
  else if (kind === "tier") found.tiers.push(decoded(encoded, "tier"));
  else
    throw unknownClaim(
      "has a urn:niac: name that is not urn:niac:group:, urn:niac:device: or urn:niac:tier:",
    );
}

function decoded(encoded: string | undefined, what: string): string {
  const text = encoded !== undefined && URN_NAME.test(encoded) ? utf8Of(percentDecoded(encoded)) : null;
  if (text === null) throw unknownClaim(`has a urn:niac:${what}: name that is not percent-encoded UTF-8`);
  return checkedName(text, what);
}

/** Of a text that URN_NAME matched: ASCII, every percent sign with its two digits. */
function percentDecoded(text: string): Buffer {
  const bytes = text.replaceAll(/%(..)/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
  return Buffer.from(bytes, "latin1");
}

function deviceOf(names: AlternativeNames): string | null {
  const device = single(names.devices, "device");
  const [host] = names.hosts;
  if (device !== null || host === undefined || names.hosts.length > 1) return device;
  // A wildcard names many devices, so none.
  if (host.startsWith("*.")) return null;
  if (!HOST_NAME.test(checkedName(host, "DNS name"))) {
    throw refuse(
      "bad-name",
      "has a DNS name that is no host name",
      "Ask the plant admin for a certificate with the laptop's host name, or with urn:niac:device:<name>.",
    );
  }
  return host;
}

function single(names: readonly string[], what: "device" | "tier"): string | null {
  if (names.length > 1) {
    throw refuse(
      `${what}-twice`,
      `has ${names.length} names urn:niac:${what}:, and one at most is taken`,
      `Ask the plant admin for a certificate with one ${what}.`,
    );
  }
  return names[0] ?? null;
}

function unknownClaim(what: string) {
  return refuse(
    "unknown-claim",
    what,
    "Ask the plant admin to check the alternative names of the certificate.",
  );
}

function unreadableName() {
  return refuse(
    "name-encoding",
    "has an alternative name that cannot be read",
    "Ask the plant admin for a certificate with alternative names in ASCII (URIs percent-encoded).",
  );
}
