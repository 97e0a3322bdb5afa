/**
 * The services niac asks for itself (OPC 10000-4, 5.4.4 GetEndpoints, 5.5.2 OpenSecureChannel, 5.5.3 CloseSecureChannel), as bodies of messages:
 * a NodeId that names the structure, then its fields in order (OPC 10000-6, 5.2.6).
 */
import { PeerError } from "../base/index.ts";
import type { ChannelIds } from "./channel.ts";
import { UaReader } from "./reader.ts";
import { statusText } from "./transport.ts";
import { nodeId, string, u32, type Part } from "./writer.ts";

/** Binary encoding's ids, OPC 10000-6, A.3. */
const SERVICE_FAULT = 397;
const GET_ENDPOINTS = 428;
const OPEN_SECURE_CHANNEL = 446;
const CLOSE_SECURE_CHANNEL = 452;
/** From a request's id to its response's. */
const RESPONSE = 3;

/** Endpoints taken from one server. */
export const MAX_ENDPOINTS = 128;

const ISSUE = 0;
const MODE_NONE = 1;
/** OPC 10000-4, 7.20: MessageSecurityMode. */
const MODES = ["invalid", "None", "Sign", "SignAndEncrypt"] as const;
export type SecurityMode = (typeof MODES)[number];

/** Milliseconds the channel is to live, and the server may take. */
const LIFETIME = 60_000;
const TIMEOUT = 5_000;

/** Of an EndpointDescription (OPC 10000-4, 7.14) what says who the server is and how it may be reached. Null strings are empty here. */
export interface Endpoint {
  readonly endpointUrl: string;
  readonly applicationUri: string;
  readonly productUri: string;
  readonly applicationName: string;
  readonly securityMode: SecurityMode;
  /** The URI, e.g. `http://opcfoundation.org/UA/SecurityPolicy#Basic256Sha256`. */
  readonly securityPolicy: string;
}

export function openRequest(): Part[] {
  return [
    nodeId(OPEN_SECURE_CHANNEL),
    requestHeader(1),
    u32(0, ISSUE, MODE_NONE),
    string(null),
    u32(LIFETIME),
  ];
}

/** PeerError `opcua-service`, `opcua-fault`, `truncated`, `trailing-bytes` and the reader's own; so do the others here. */
export function decodeOpenResponse(body: Uint8Array): ChannelIds {
  const reader = new UaReader(body);
  expectResponse(reader, OPEN_SECURE_CHANNEL + RESPONSE);
  reader.u32("the protocol's version");
  const channel = reader.u32("the channel");
  const token = reader.u32("the token");
  reader.time("the token's time");
  reader.u32("the token's lifetime");
  reader.byteString("the nonce");
  reader.finish("the response");
  return { channel, token };
}

export function endpointsRequest(endpointUrl: string): Part[] {
  // No preferred locale, and no profile: every endpoint there is.
  return [nodeId(GET_ENDPOINTS), requestHeader(2), string(endpointUrl), u32(0), u32(0)];
}

export function decodeEndpointsResponse(body: Uint8Array): Endpoint[] {
  const reader = new UaReader(body);
  expectResponse(reader, GET_ENDPOINTS + RESPONSE);
  const endpoints = reader.array("the endpoints", () => endpoint(reader));
  reader.finish("the response");
  if (endpoints.length > MAX_ENDPOINTS) {
    throw new PeerError(
      "opcua-array",
      `the server has ${endpoints.length} endpoints; the limit is ${MAX_ENDPOINTS}`,
    );
  }
  return endpoints;
}

export function closeRequest(): Part[] {
  return [nodeId(CLOSE_SECURE_CHANNEL), requestHeader(3)];
}

/** OPC 10000-4, 7.32: no session, no time, no diagnostics, no audit entry, nothing additional. */
function requestHeader(handle: number): Part {
  const noTime = u32(0, 0);
  return Buffer.concat([
    Uint8Array.of(0, 0),
    noTime,
    u32(handle, 0),
    string(null),
    u32(TIMEOUT),
    Uint8Array.of(0, 0, 0),
  ]);
}

function expectResponse(reader: UaReader, id: number): void {
  const type = reader.nodeId("the response's type");
  if (type !== id && type !== SERVICE_FAULT)
    throw new PeerError("opcua-service", `the response's type is ${type}, ${id} was to come`);
  reader.time("the response's time");
  reader.u32("the request's handle");
  const status = reader.u32("the service's result");
  reader.skipDiagnosticInfo();
  reader.array("the string table", () => reader.string("a string of the table"));
  reader.skipExtensionObject("the additional header");
  // The two highest bits: 0 good, 1 uncertain, 2 bad.
  if (type === SERVICE_FAULT || status >>> 30 !== 0)
    throw new PeerError("opcua-fault", `the server refused: ${statusText(status)}`);
}

function endpoint(reader: UaReader): Endpoint {
  const text = (what: string): string => reader.string(what) ?? "";
  const endpointUrl = text("an endpoint's URL");
  const applicationUri = text("the application's URI");
  const productUri = text("the product's URI");
  const applicationName = reader.localizedText("the application's name") ?? "";
  const applicationType = reader.u32("the application's type");
  if (applicationType > 3)
    throw new PeerError("opcua-enum", `the application's type is ${applicationType}; known are 0..3`);
  text("the gateway's URI");
  text("the discovery profile");
  reader.array("the discovery URLs", () => text("a discovery URL"));
  reader.byteString("the server's certificate");
  const mode = MODES[reader.u32("the security mode")];
  if (mode === undefined) throw new PeerError("opcua-enum", "the security mode is not one of 0..3");
  const securityPolicy = text("the security policy");
  reader.array("the user tokens", () => skipUserToken(reader));
  text("the transport profile");
  reader.u8("the security level");
  return { endpointUrl, applicationUri, productUri, applicationName, securityMode: mode, securityPolicy };
}

/** OPC 10000-4, 7.42: UserTokenPolicy. */
function skipUserToken(reader: UaReader): void {
  reader.string("a token's policy id");
  reader.u32("a token's type");
  for (const what of ["type of issued token", "issuer's URL", "security policy"])
    reader.string(`a token's ${what}`);
}
