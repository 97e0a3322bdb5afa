import { isIP, type LookupFunction, type TcpSocketConnectOpts } from "node:net";
import * as tls from "node:tls";
import { messageOf, systemCode } from "../base/index.ts";
import { dialTcp, type Dial } from "../machine/index.ts";
import type { Destination, Machine, Service } from "../site/index.ts";
import type { Names } from "./names.ts";

/** What connecting to a destination takes beside the destination itself. */
export interface Outside {
  readonly names: Names;
  /** The appliance's own certificate, and whom it trusts. */
  readonly context: tls.SecureContext;
}

/**
 * How to connect to the service: a machine's directly, a destination's by its name, from the address it is to see, and by TLS
 * where it is wrapped. A serial line has none. `outside` is asked at each connection, so that a renewed certificate is used.
 */
export function dialFor(
  service: Service,
  machine: Machine,
  destination: Destination | null,
  outside: () => Outside,
): Dial | null {
  const { tcp } = service;
  if (tcp === null) return null;
  if (destination === null) return dialTcp(tcp);
  const { serverName } = destination;
  const from = originOf(machine, destination);
  const where = (): TcpSocketConnectOpts => ({
    host: tcp.host,
    port: tcp.port,
    // One address is looked up, by niac's own rules.
    autoSelectFamily: false,
    lookup: (host, _options, done) => void find(outside().names, host, done),
    ...(from === null ? {} : { localAddress: from }),
  });
  if (serverName === null) return (options) => dialTcp(where())(options);
  return dialTls(where, serverName, () => outside().context);
}

async function find(names: Names, host: string, done: Parameters<LookupFunction>[2]): Promise<void> {
  let address: string;
  try {
    address = await names.lookup(host);
  } catch (error) {
    done(error instanceof Error ? error : new Error(String(error)), "");
    return;
  }
  done(null, address, 4);
}

/**
 * The address of the appliance's own from which a destination is connected to, so that the kernel puts the machine's in its
 * place; null: the destination sees the appliance.
 */
export function originOf(machine: Machine, destination: Destination | null): string | null {
  return destination?.source === "machine" ? machine.standIn : null;
}

/** TLS 1.3 with the appliance's own certificate; the server must prove `serverName`, a DNS name or an IP address. */
function dialTls(
  where: () => TcpSocketConnectOpts,
  serverName: string,
  context: () => tls.SecureContext,
): Dial {
  return (options) => {
    const connecting: TcpSocketConnectOpts & tls.ConnectionOptions = {
      ...where(),
      ...options,
      secureContext: context(),
      rejectUnauthorized: true,
      // An address is no server name (RFC 6066, section 3).
      servername: isIP(serverName) === 0 ? serverName : "",
      checkServerIdentity: (_name, certificate) => tls.checkServerIdentity(serverName, certificate),
    };
    const socket = tls.connect(connecting);
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 30_000);
    return { socket, ready: "secureConnect", explain: (error) => explainTls(error, serverName) };
  };
}

/** OpenSSL's names for a chain that does not hold. */
const UNVERIFIED = /^(?:UNABLE_TO_|CERT_|SELF_SIGNED_|DEPTH_ZERO_|INVALID_|PATH_LENGTH_|CRL_|ERROR_IN_)/;
/** An alert the server sent (RFC 8446, section 6.2), as OpenSSL names it. */
const ALERT = /^ERR_SSL_[A-Z0-9/]+_ALERT_(.+)$/;
/** Those that speak of the certificate it was shown. */
const OF_CERTIFICATE = /CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED/;

/** What went wrong with a wrapped connection, for the reader of the record. */
export function explainTls(error: Error, serverName: string): string {
  const code = systemCode(error);
  const what = messageOf(error);
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID")
    return `the server's certificate is not for ${serverName}: ${what.replace(/^.*altnames: /, "")}`;
  if (UNVERIFIED.test(code)) return `the server's certificate is not trusted: ${what} (${code})`;
  const [, alert] = ALERT.exec(code) ?? [];
  if (alert !== undefined) {
    const refused = OF_CERTIFICATE.test(alert) ? "the appliance's certificate" : "the TLS handshake";
    return `the server refused ${refused}: ${words(alert)}`;
  }
  // OpenSSL's own line names its source files.
  if (code.startsWith("ERR_SSL_")) return `the TLS handshake failed: ${words(code.slice("ERR_SSL_".length))}`;
  return what;
}

function words(name: string): string {
  return name.toLowerCase().replaceAll("_", " ");
}
