import { printable, PeerError } from "../base/index.ts";
import {
  Answers,
  chunkLength,
  closeRequest,
  decodeAcknowledge,
  decodeChunk,
  decodeEndpointsResponse,
  decodeError,
  decodeOpenResponse,
  encodeHello,
  encodeMessage,
  encodeOpen,
  endpointsRequest,
  openRequest,
  type Chunk,
  type SecurityMode,
} from "../opcua/index.ts";
import type { Dialogue } from "./identify-dialogue.ts";

/** Characters kept of what a server says of itself. */
const MAX_TEXT = 512;

/** What an OPC UA server says of one of its endpoints, unproven; printable. */
export interface OpcuaEndpoint {
  readonly applicationUri: string;
  readonly applicationName: string;
  readonly endpointUrl: string;
  readonly securityMode: SecurityMode;
  /** The policy's name, e.g. `Basic256Sha256`; the whole URI where it is none of the OPC Foundation's. */
  readonly policy: string;
}

/** GetEndpoints over a channel without security, in which no session is made. Errors as of Dialogue, and PeerError. */
export async function identifyOpcua(dialogue: Dialogue, endpointUrl: string): Promise<OpcuaEndpoint[]> {
  const next = async (): Promise<Chunk> => decodeChunk(await dialogue.answer(chunkLength));
  const answers = new Answers();

  dialogue.send(encodeHello(endpointUrl));
  const acknowledge = await next();
  if (acknowledge.type === "ERR") throw decodeError(acknowledge.body);
  if (acknowledge.type !== "ACK")
    throw new PeerError("opcua-answer", `the server sent ${acknowledge.type} where ACK was to come`);
  decodeAcknowledge(acknowledge.body);

  dialogue.send(encodeOpen(1, 1, openRequest()));
  const ids = decodeOpenResponse(answers.open(await next(), 1));

  dialogue.send(encodeMessage("MSG", ids, 2, 2, endpointsRequest(endpointUrl)));
  let body: Uint8Array | null = null;
  while (body === null) body = answers.message(await next(), ids, 2);
  const endpoints = decodeEndpointsResponse(body);

  dialogue.send(encodeMessage("CLO", ids, 3, 3, closeRequest()));
  return endpoints.map((endpoint) => ({
    applicationUri: shown(endpoint.applicationUri),
    applicationName: shown(endpoint.applicationName),
    endpointUrl: shown(endpoint.endpointUrl),
    securityMode: endpoint.securityMode,
    policy: shown(endpoint.securityPolicy.replace(/^http:\/\/opcfoundation\.org\/UA\/SecurityPolicy#/, "")),
  }));
}

function shown(text: string): string {
  return printable(text.slice(0, MAX_TEXT));
}
