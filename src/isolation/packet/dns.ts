/** The name a DNS query asks for (RFC 1035, 4.1): enough to say in a record what a machine was after. */
import { cut, printable } from "../../base/index.ts";
import { PROTOCOL, type Ipv4Packet } from "./ipv4.ts";

export const DNS_PORT = 53;
const HEADER = 12;
/** Of the first question, behind its name: type and class. */
const TYPE_AND_CLASS = 4;
/** RFC 1035, 2.3.4: a label, and a name with the length bytes and the root. */
const MAX_LABEL = 63;
const MAX_NAME = 255;
/** QR and opcode: a standard query. */
const KIND = 0xf8;
/** Columns of the printable name: escapes make it longer than it was. */
const MAX_SHOWN = 255;

/** The name in lower case, printable and at most 255 characters; null where the packet is no well-formed query in one UDP packet. */
export function queriedName(packet: Ipv4Packet, bytes: Uint8Array): string | null {
  if (packet.protocol !== PROTOCOL.udp || packet.destinationPort !== DNS_PORT) return null;
  return queryName(bytes.subarray(packet.payloadAt, packet.length));
}

/** `message`: the UDP payload. A query has no name before its question, so a compression pointer there points nowhere. */
export function queryName(message: Uint8Array): string | null {
  if (message.length < HEADER || (message[2]! & KIND) !== 0) return null;
  if (((message[4]! << 8) | message[5]!) === 0) return null;
  const labels: string[] = [];
  let at = HEADER;
  for (;;) {
    const length = message[at];
    if (length === undefined || length > MAX_LABEL) return null;
    at++;
    if (length === 0) break;
    if (at + length > message.length || at + length - HEADER >= MAX_NAME) return null;
    labels.push(labelText(message.subarray(at, at + length)));
    at += length;
  }
  if (at + TYPE_AND_CLASS > message.length) return null;
  return labels.length === 0 ? "." : cut(labels.join("."), MAX_SHOWN);
}

/** One character a byte. A dot inside a label would pretend to be the end of it (RFC 4343, 2.1). */
function labelText(label: Uint8Array): string {
  let text = "";
  for (const byte of label) text += String.fromCharCode(byte);
  return printable(text.toLowerCase()).replaceAll(".", "\\u{2e}");
}
