/** A server's side of OPC UA, written by the standard's layout apart from the code under test. */
export function u32(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, i) => bytes.writeUInt32LE(value >>> 0, i * 4));
  return bytes;
}

export function text(value: string | null): Buffer {
  return value === null ? u32(-1) : Buffer.concat([u32(Buffer.byteLength(value)), Buffer.from(value)]);
}

export function chunk(type: string, mark: string, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from(type + mark), u32(8 + body.length), body]);
}

export function acknowledge(receive = 65_536, send = 65_536): Buffer {
  return chunk("ACK", "F", u32(0, receive, send, 0, 0));
}

/** NodeId of a message's type, and a ResponseHeader that is good unless said otherwise. */
export function response(type: number, status = 0, diagnostics: Uint8Array = Buffer.of(0)): Buffer {
  return Buffer.concat([
    Buffer.of(1, 0, type & 0xff, type >> 8),
    Buffer.alloc(8, 1),
    u32(1, status),
    diagnostics,
    u32(-1),
    Buffer.of(0, 0, 0),
  ]);
}

export const POLICY = "http://opcfoundation.org/UA/SecurityPolicy#None";

export function openBody(channel: number, token: number): Buffer {
  return Buffer.concat([response(449), u32(0, channel, token), Buffer.alloc(8), u32(60_000), text(null)]);
}

export function openChunk(sequence: number, request: number, body: Uint8Array, policy = POLICY): Buffer {
  return chunk("OPN", "F", u32(9), text(policy), text(null), text(null), u32(sequence, request), body);
}

export function messageChunk(
  mark: string,
  ids: { channel: number; token: number },
  sequence: number,
  request: number,
  body: Uint8Array,
): Buffer {
  return chunk("MSG", mark, u32(ids.channel, ids.token, sequence, request), body);
}

function userToken(id: string, type: number): Buffer {
  return Buffer.concat([text(id), u32(type), text(null), text(""), text(null)]);
}

export interface EndpointParts {
  readonly url?: string | null;
  readonly uri?: string;
  readonly name?: string;
  readonly mode?: number;
  readonly policy?: string;
  readonly certificate?: Uint8Array;
}

export function endpoint(parts: EndpointParts = {}): Buffer {
  const { url = "opc.tcp://10.20.0.11:4840", uri = "urn:press", name = "Press", mode = 3 } = parts;
  const certificate = parts.certificate ?? Buffer.alloc(700, 0x30);
  return Buffer.concat([
    text(url),
    text(uri),
    text("urn:maker:press"),
    Buffer.of(3),
    text("en"),
    text(name),
    u32(0),
    text(null),
    text(null),
    u32(1),
    text(url),
    u32(certificate.length),
    certificate,
    u32(mode),
    text(parts.policy ?? "http://opcfoundation.org/UA/SecurityPolicy#Basic256Sha256"),
    u32(2),
    userToken("anonymous", 0),
    userToken("user", 1),
    text("http://opcfoundation.org/UA-Profile/Transport/uatcp-uasc-uabinary"),
    Buffer.of(2),
  ]);
}

export function endpointsBody(endpoints: readonly Uint8Array[]): Buffer {
  return Buffer.concat([response(431), u32(endpoints.length), ...endpoints]);
}
