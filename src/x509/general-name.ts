/**
 * GeneralName (RFC 5280, section 4.2.1.6), of which niac reads and writes four kinds; the text of each is ASCII.
 *
 *     [1] e-mail address | [2] DNS name | [6] URI | [7] IP address, 4 or 16 bytes | others, which are counted
 */
import { isIPv4, isIPv6 } from "node:net";
import { PeerError, UsageError } from "../base/index.ts";
import { DerReader } from "./der.ts";
import { ascii, tagged } from "./der-writer.ts";
import { asciiOf } from "./name-text.ts";

export const GENERAL_NAME = {
  other: 0xa0,
  email: 0x81,
  dns: 0x82,
  x400: 0xa3,
  directory: 0xa4,
  ediParty: 0xa5,
  uri: 0x86,
  ip: 0x87,
  registeredId: 0x88,
} as const;
const KINDS: readonly number[] = Object.values(GENERAL_NAME);

/** `ip`: textual IPv4 or IPv6. */
export type AltName =
  | { readonly dns: string }
  | { readonly ip: string }
  | { readonly uri: string }
  | { readonly email: string };

export interface AltNames {
  readonly dns: readonly string[];
  /** IPv4 as `192.0.2.1`, IPv6 in its shortest form (RFC 5952). */
  readonly ip: readonly string[];
  readonly uri: readonly string[];
  readonly email: readonly string[];
  /** How many names of other kinds there are. */
  readonly others: number;
}

export const NO_NAMES: AltNames = { dns: [], ip: [], uri: [], email: [], others: 0 };

/** The content of GeneralNames = SEQUENCE OF GeneralName. */
export function readGeneralNames(content: Uint8Array, what: string): AltNames {
  const found = {
    dns: [] as string[],
    ip: [] as string[],
    uri: [] as string[],
    email: [] as string[],
    others: 0,
  };
  const names = new DerReader(content);
  while (!names.done) {
    const { tag, content: name } = names.any(what);
    if (!KINDS.includes(tag)) throw new PeerError("general-name", `${what} hold a name of no known kind`);
    if (tag === GENERAL_NAME.dns) found.dns.push(textIn(name, what));
    else if (tag === GENERAL_NAME.uri) found.uri.push(textIn(name, what));
    else if (tag === GENERAL_NAME.email) found.email.push(textIn(name, what));
    else if (tag === GENERAL_NAME.ip) found.ip.push(ipText(name, what));
    else found.others++;
  }
  return found;
}

/** Throws a UsageError for a text that is not of its kind. */
export function makeGeneralName(name: AltName): Buffer {
  if ("dns" in name) return tagged(GENERAL_NAME.dns, ascii(name.dns));
  if ("uri" in name) return tagged(GENERAL_NAME.uri, ascii(name.uri));
  if ("email" in name) return tagged(GENERAL_NAME.email, ascii(name.email));
  return tagged(GENERAL_NAME.ip, ipBytes(name.ip));
}

/** 4 or 16 bytes. Throws a UsageError for what is no address; a zone (`%eth0`) is of one computer alone, and none. */
export function ipBytes(text: string): Buffer {
  if (isIPv4(text)) return Buffer.from(text.split(".").map(Number));
  if (!isIPv6(text) || text.includes("%")) {
    throw new UsageError("ip-address", `"${text}" is no IP address`, "Write 192.0.2.1 or 2001:db8::1.");
  }
  // URL brings every way of writing an address to one: at most one "::", no embedded IPv4.
  const [head = "", tail] = new URL(`http://[${text}]/`).hostname.slice(1, -1).split("::");
  const left = groupsOf(head);
  const right = groupsOf(tail ?? "");
  const zeros = Array<number>(8 - left.length - right.length).fill(0);
  return Buffer.from([...left, ...zeros, ...right].flatMap((group) => [group >> 8, group & 0xff]));
}

function groupsOf(text: string): number[] {
  return text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16));
}

function ipText(bytes: Uint8Array, what: string): string {
  if (bytes.length === 4) return bytes.join(".");
  if (bytes.length !== 16) {
    throw new PeerError("general-name", `${what} hold an IP address of ${bytes.length} bytes, not 4 or 16`);
  }
  const groups = Buffer.from(bytes)
    .toString("hex")
    .replaceAll(/.{4}(?!$)/g, "$&:");
  return new URL(`http://[${groups}]/`).hostname.slice(1, -1);
}

/** A NUL or line break in a name has been read in two ways before, and there is none in a name that is one. */
function textIn(content: Uint8Array, what: string): string {
  const text = asciiOf(content);
  if (text !== null && /^[ -~]+$/.test(text)) return text;
  throw new PeerError("general-name", `${what} hold a name that is empty or not of visible ASCII`);
}
