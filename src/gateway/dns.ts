import { PeerError } from "../base/index.ts";
import type { Snapshot } from "../site/index.ts";
import { answerQuery, namesByMachine, plain, type NamesByMachine } from "./dns-answer.ts";
import { decodeHeader, decodeQuery, encodeAnswer, RCODE, type DnsHeader } from "./dns-message.ts";
import { Responder, type Answering, type Query, type ResponderOptions } from "./responder.ts";

/** Queries of one machine looked at in a second. */
export const DNS_PER_SECOND = 200;
const MAX_BYTES_RECORDED = 300;
/** IANA's list of DNS parameters. */
const OPERATIONS: Readonly<Record<number, string>> = {
  1: "inverse query",
  2: "status",
  4: "notify",
  5: "update",
};

/**
 * DNS for machines, from the site document alone: no resolver stands behind it. To be closed before its options' recorder is;
 * report() is to be called now and then.
 */
export async function startDns(options: ResponderOptions): Promise<Responder> {
  let index: { readonly of: Snapshot; readonly names: NamesByMachine } | null = null;
  const namesOf = (snapshot: Snapshot): NamesByMachine => {
    if (index?.of !== snapshot) index = { of: snapshot, names: namesByMachine(snapshot) };
    return index.names;
  };
  return Responder.open(options, "DNS", DNS_PER_SECOND, (query, refuse) =>
    respond(query, namesOf(query.snapshot), refuse),
  );
}

function respond(
  { bytes, machine }: Query,
  names: NamesByMachine,
  refuse: Parameters<Answering>[1],
): Buffer | null {
  const header = decodeHeader(bytes);
  if (header === null) {
    const reason = `${machine.name} sent the appliance's DNS ${bytes.length} bytes that are no query`;
    refuse("no query", { kind: "malformed", stage: "dns", reason, bytes: first(bytes) });
    return null;
  }
  if (header.opcode !== 0) {
    const what = OPERATIONS[header.opcode] ?? "unassigned";
    const reason = `${machine.name} asked DNS for operation ${header.opcode} (${what}); only queries are answered`;
    refuse(`operation ${header.opcode}`, { kind: "flow.refused", stage: "dns", reason });
    return encodeAnswer(header, plain(RCODE.notImplemented));
  }
  try {
    const query = decodeQuery(header, bytes);
    const { answer, refused } = answerQuery(machine.name, names.get(machine.name) ?? new Map(), query);
    if (refused) {
      const { alike, reason, name, type } = refused;
      refuse(alike, { kind: "flow.refused", stage: "dns", reason, detail: { dns: name, type } });
    }
    return encodeAnswer(query, answer);
  } catch (error) {
    if (!(error instanceof PeerError)) throw error;
    return malformed(header, machine.name, bytes, error, refuse);
  }
}

function malformed(
  header: DnsHeader,
  machine: string,
  bytes: Uint8Array,
  error: PeerError,
  refuse: Parameters<Answering>[1],
): Buffer {
  const reason = `${machine} sent the appliance's DNS a query that cannot be read: ${error.message}`;
  refuse(`malformed ${error.code}`, { kind: "malformed", stage: "dns", reason, bytes: first(bytes) });
  return encodeAnswer(header, plain(RCODE.format));
}

function first(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(0, MAX_BYTES_RECORDED)).toString("hex");
}
