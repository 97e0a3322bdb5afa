/**
 * DNS queries in, answers out (RFC 1035, 4.1): the header, one question, and EDNS (RFC 6891) where the client has it.
 *
 *   0        2        4         6         8         10        12
 *   +--------+--------+---------+---------+---------+---------+------------+-----------------+
 *   | id     | flags  | QDCOUNT | ANCOUNT | NSCOUNT | ARCOUNT | question   | OPT, at most one|
 *   +--------+--------+---------+---------+---------+---------+------------+-----------------+
 *   question  | { length (1..63) | label } ... | 0 | type | class |              all words big-endian
 *   OPT       | 0 | type 41 | UDP size | extended code, version, flags (4) | length | { option | length | value } ... |
 *
 * A query has nothing that another could be hidden in: no compression, no second question, no other record, no bytes after the
 * last. An answer is made from values alone and is always shorter than the 512 bytes every client takes, so it is never cut
 * and nobody needs DNS over TCP here.
 */
import { ByteReader, PeerError } from "../base/index.ts";

export const MAX_QUERY = 512;
const MAX_NAME = 255;
const MAX_LABEL = 63;

const QR = 0x8000;
const AUTHORITATIVE = 0x0400;
const RECURSION_DESIRED = 0x0100;
const RECURSION_AVAILABLE = 0x0080;
const RESERVED = 0x0040;
const OPCODE_SHIFT = 11;

export const TYPE_A = 1;
const TYPE_OPT = 41;
/** RFC 8482: whoever asks for anything is given something. */
export const TYPE_ANY = 255;
export const CLASS_IN = 1;

/** RFC 1035, 4.1.1; 16: RFC 6891, 9. */
export const RCODE = { ok: 0, format: 1, notImplemented: 4, refused: 5, badVersion: 16 } as const;
/** Extended error 18, Prohibited (RFC 8914, 4.19). */
export const PROHIBITED = 18;
const OPTION_EXTENDED_ERROR = 15;
/** What niac says it takes; a query over MAX_QUERY is refused all the same, as none needs as much. */
const UDP_SIZE = 1232;

export interface DnsHeader {
  readonly id: number;
  readonly opcode: number;
  readonly recursionDesired: boolean;
}

export interface DnsQuestion {
  /** In lower case, without the last dot; the root is `.`. Bytes other than letters, digits, `-` and `_` stand as `\DDD` (RFC 1035, 5.1). */
  readonly name: string;
  /** As it was asked, letter by letter: an answer must repeat its upper and lower case. */
  readonly wire: Uint8Array;
  readonly type: number;
  readonly class: number;
}

export interface DnsQuery extends DnsHeader {
  readonly question: DnsQuestion;
  /** EDNS version; null: the client has no EDNS, and gets none. */
  readonly edns: number | null;
}

export interface DnsAnswer {
  readonly rcode: number;
  /** IPv4, with how many seconds it may be kept; null: no record. */
  readonly address: { readonly value: string; readonly ttl: number } | null;
  /** RFC 8914: code and text (at most 100 characters of ASCII); only for clients with EDNS. */
  readonly extendedError: { readonly code: number; readonly text: string } | null;
}

/** Null: nothing that may be answered, because it is too short or itself an answer (two servers would answer each other for ever). */
export function decodeHeader(bytes: Uint8Array): DnsHeader | null {
  if (bytes.length < 12) return null;
  const reader = new ByteReader(bytes);
  const id = reader.u16("the id");
  const flags = reader.u16("the flags");
  if ((flags & QR) !== 0) return null;
  return {
    id,
    opcode: (flags >> OPCODE_SHIFT) & 0xf,
    recursionDesired: (flags & RECURSION_DESIRED) !== 0,
  };
}

/** After decodeHeader. PeerError `dns-length`, `dns-flags`, `dns-counts`, `dns-name`, `dns-record`, `truncated`, `trailing-bytes`. */
export function decodeQuery(header: DnsHeader, bytes: Uint8Array): DnsQuery {
  if (bytes.length > MAX_QUERY)
    throw new PeerError("dns-length", `a DNS query of ${bytes.length} bytes; the limit is ${MAX_QUERY}`);
  const reader = new ByteReader(bytes);
  reader.u16("the id");
  if ((reader.u16("the flags") & RESERVED) !== 0)
    throw new PeerError("dns-flags", "the reserved bit of a DNS query is set");
  const [questions, answers, authorities, additional] = [
    reader.u16("QDCOUNT"),
    reader.u16("ANCOUNT"),
    reader.u16("NSCOUNT"),
    reader.u16("ARCOUNT"),
  ];
  if (questions !== 1 || answers !== 0 || authorities !== 0 || additional > 1) {
    throw new PeerError(
      "dns-counts",
      `a DNS query with ${questions} questions and ${answers}, ${authorities} and ${additional} records; allowed are 1 question and 1 record of EDNS`,
    );
  }
  const question = decodeQuestion(reader);
  const edns = additional === 1 ? decodeEdns(reader) : null;
  reader.finish("the DNS query");
  return { ...header, question, edns };
}

function decodeQuestion(reader: ByteReader): DnsQuestion {
  const labels: string[] = [];
  const parts: Uint8Array[] = [];
  for (let size = 1; ;) {
    const length = reader.u8("a label's length");
    parts.push(Uint8Array.of(length));
    if (length === 0) break;
    if (length > MAX_LABEL)
      throw new PeerError("dns-name", `a label's length byte is ${length}; the limit is ${MAX_LABEL}`);
    size += length + 1;
    if (size > MAX_NAME) throw new PeerError("dns-name", `a name of more than ${MAX_NAME} bytes, the limit`);
    const label = reader.view(length, "a label");
    parts.push(label);
    labels.push(labelText(label));
  }
  return {
    name: labels.length === 0 ? "." : labels.join("."),
    wire: Buffer.concat(parts),
    type: reader.u16("the type"),
    class: reader.u16("the class"),
  };
}

function labelText(label: Uint8Array): string {
  let text = "";
  for (const byte of label) {
    const character = String.fromCharCode(byte);
    text += /[\w-]/.test(character) ? character.toLowerCase() : `\\${String(byte).padStart(3, "0")}`;
  }
  return text;
}

function decodeEdns(reader: ByteReader): number {
  const root = reader.u8("the additional record's name");
  const type = reader.u16("the additional record's type");
  if (root !== 0 || type !== TYPE_OPT)
    throw new PeerError("dns-record", `an additional record of type ${type}; only EDNS (41) is taken`);
  reader.u16("the UDP size");
  reader.u8("the extended code");
  const version = reader.u8("the EDNS version");
  reader.u16("the EDNS flags");
  const size = reader.u16("the options' length");
  const options = new ByteReader(reader.view(size, "the options"));
  while (options.remaining > 0) {
    options.u16("an option's code");
    options.view(options.u16("an option's length"), "an option");
  }
  return version;
}

/** `query` a header alone: the answer has no question, as of a query that could not be read. */
export function encodeAnswer(query: DnsHeader | DnsQuery, answer: DnsAnswer): Buffer {
  const question = "question" in query ? query.question : null;
  const edns = "question" in query && query.edns !== null;
  const flags =
    QR |
    (query.opcode << OPCODE_SHIFT) |
    AUTHORITATIVE |
    (query.recursionDesired ? RECURSION_DESIRED : 0) |
    // Stub resolvers look for it: what they are told is all that can be known here.
    RECURSION_AVAILABLE |
    (answer.rcode & 0xf);
  const counts = [question ? 1 : 0, answer.address ? 1 : 0, 0, edns ? 1 : 0];
  const parts = [words(query.id, flags, ...counts)];
  if (question) parts.push(Buffer.from(question.wire), words(question.type, question.class));
  if (answer.address) parts.push(addressRecord(answer.address));
  if (edns) parts.push(ednsRecord(answer));
  return Buffer.concat(parts);
}

/** Its name is a pointer to the question's, which begins right after the header. */
function addressRecord({ value, ttl }: { readonly value: string; readonly ttl: number }): Buffer {
  const octets = value.split(".").map(Number);
  return Buffer.concat([words(0xc00c, TYPE_A, CLASS_IN, ttl >>> 16, ttl & 0xffff, 4), Buffer.from(octets)]);
}

function ednsRecord({ rcode, extendedError }: DnsAnswer): Buffer {
  const text = Buffer.from(extendedError?.text.slice(0, 100) ?? "", "latin1");
  const option = extendedError
    ? Buffer.concat([words(OPTION_EXTENDED_ERROR, 2 + text.length, extendedError.code), text])
    : Buffer.alloc(0);
  const head = Buffer.from([0, 0, TYPE_OPT, UDP_SIZE >> 8, UDP_SIZE & 0xff, rcode >> 4, 0, 0, 0]);
  return Buffer.concat([head, words(option.length), option]);
}

function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 2);
  values.forEach((value, i) => bytes.writeUInt16BE(value, i * 2));
  return bytes;
}
