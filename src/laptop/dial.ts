import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { checkServerIdentity, connect, type PeerCertificate, type TLSSocket } from "node:tls";
import { PeerError, UnavailableError } from "../base/index.ts";
import { commonName, shown, type Credentials } from "./credentials.ts";
import { explainFailure, NOT_NIAC, type Circumstances, type SeenCertificate } from "./failure.ts";
import type { ConnectOptions } from "./options.ts";

/** The appliance as the laptop knows it. */
export interface Appliance extends Pick<ConnectOptions, "via" | "appliance"> {
  readonly credentials: Credentials;
}

export interface Dialled {
  readonly socket: TLSSocket;
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
  const { host, port } = appliance.via;
  const where = isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
  let seen: SeenCertificate | null = null;
  const about = (): Circumstances => ({
    where,
    appliance: appliance.appliance,
    own: appliance.credentials.own,
    seen,
    now: Date.now(),
  });
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port,
      secureContext: appliance.credentials.context,
      servername: isIP(serverName) === 0 ? serverName : "",
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
