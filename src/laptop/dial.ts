import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import type { Duplex } from "node:stream";
import { checkServerIdentity, connect, type PeerCertificate } from "node:tls";
import { PeerError, UnavailableError } from "../base/index.ts";
import { commonName, shown, type Credentials, type OwnCertificate, type TokenAccess } from "./credentials.ts";
import { explainFailure, NOT_NIAC, type Circumstances, type SeenCertificate } from "./failure.ts";
import type { ConnectOptions } from "./options.ts";
import { TokenStream } from "./token-stream.ts";
import { explainWords } from "./token-words.ts";

/** The appliance as the laptop knows it. */
export interface Appliance extends Pick<ConnectOptions, "via" | "appliance"> {
  readonly credentials: Credentials;
}

export interface Dialled {
  readonly socket: Duplex;
  /** For explaining what happens to the connection later. */
  readonly about: () => Circumstances;
}

/** Milliseconds for connecting and the TLS handshake together. */
const PATIENCE = 10_000;

/**
 * One TLS 1.3 connection, verified in both names and chain. Resolves after the handshake, when the other side agreed to
 * `protocol` (ALPN); whether it takes the certificate shows only afterwards. Rejects with an error for the reader.
 */
export function dial(
  appliance: Appliance,
  serverName: string,
  protocol: string,
  signal: AbortSignal,
): Promise<Dialled> {
  const { own, context, token } = appliance.credentials;
  let seen: SeenCertificate | null = null;
  const about = (): Circumstances => ({
    where: place(appliance.via),
    appliance: appliance.appliance,
    own,
    seen,
    now: Date.now(),
  });
  const name = isIP(serverName) === 0 ? serverName : "";
  if (token !== null)
    return Promise.resolve(dialByToken(appliance, token, own, name, protocol, signal, about));
  const { host, port } = appliance.via;
  const { where } = about();
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port,
      secureContext: context,
      servername: name,
      ALPNProtocols: [protocol],
      minVersion: "TLSv1.3",
      checkServerIdentity: (_, certificate) => checkNames([serverName, appliance.appliance], certificate),
    });
    const settle = (): void => {
      clearTimeout(slow);
      signal.removeEventListener("abort", stopped);
      socket.removeListener("close", closed);
    };
    const fail = (error: unknown): void => {
      settle();
      socket.destroy();
      reject(explainFailure(error, about()));
    };
    const closed = (): void =>
      fail(new UnavailableError("closed", `${where} closed the connection in the TLS handshake`, NOT_NIAC));
    const stopped = (): void => fail(new UnavailableError("stopped", "connecting was stopped"));
    const late = new UnavailableError(
      "slow",
      `${where} did not finish the TLS handshake in ${PATIENCE / 1000} s`,
    );
    const slow = setTimeout(() => fail(late), PATIENCE);
    signal.addEventListener("abort", stopped);
    if (signal.aborted) stopped();
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 30_000);
    // Before Node judges the certificate, and destroys the socket with all that is known of it.
    socket.prependOnceListener("secure", () => {
      // Not getPeerX509Certificate: after it, the getPeerCertificate by which Node goes on finds nothing.
      seen = seenOf(socket.getPeerCertificate());
    });
    // Stays: an error that comes later, on a connection nobody uses any more, must not end the process.
    socket.on("error", fail);
    socket.once("close", closed);
    socket.once("secureConnect", () => {
      settle();
      if (socket.alpnProtocol === protocol) resolve({ socket, about });
      else fail(new PeerError("not-niac", `${where} speaks TLS, but is no niac appliance`, NOT_NIAC));
    });
  });
}

/** Its handshake is still to come: what becomes of it, the socket's error says. */
function dialByToken(
  { via, appliance }: Appliance,
  token: TokenAccess,
  { file, caFile }: OwnCertificate,
  serverName: string,
  protocol: string | null,
  signal: AbortSignal,
  about: () => Circumstances,
): Dialled {
  const files = { certificate: file, ca: caFile };
  const wanted = { ...via, name: appliance, serverName, protocol, ...files };
  const socket = new TokenStream(wanted, token, (words) => explainWords(words, about()));
  // Stays, as for the other kind: nobody may be there any more to hear of it.
  socket.on("error", () => {});
  signal.addEventListener("abort", () => socket.destroy(), { once: true });
  return { socket, about };
}

/** To the box's own HTTPS listener, by a token's key. `url`: `https://host[:port]`. */
export function dialHost(url: string, token: TokenAccess, own: OwnCertificate): Duplex {
  const { hostname, port } = new URL(url);
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  const via = { host, port: Number(port || 443) };
  const about = (): Circumstances => ({
    where: place(via),
    appliance: host,
    own,
    seen: null,
    now: Date.now(),
  });
  const wanted = { ...via, name: host, serverName: isIP(host) === 0 ? host : "", protocol: null };
  const files = { certificate: own.file, ca: own.caFile };
  return new TokenStream({ ...wanted, ...files }, token, (words) => explainWords(words, about()));
}

function place({ host, port }: Appliance["via"]): string {
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The box has one certificate: its own name stands for the machines behind it, whose names stand under the box's. */
function checkNames(names: readonly string[], certificate: PeerCertificate): Error | undefined {
  let wrong: Error | undefined;
  for (const name of names) {
    wrong = checkServerIdentity(name, certificate);
    if (wrong === undefined) return undefined;
  }
  return wrong;
}

function seenOf({ raw }: Partial<PeerCertificate>): SeenCertificate | null {
  if (raw === undefined) return null;
  const certificate = new X509Certificate(raw);
  const issuer = shown(certificate.issuer.replaceAll("\n", ", "));
  return { subject: commonName(certificate), issuer, names: shown(certificate.subjectAltName ?? "") };
}
