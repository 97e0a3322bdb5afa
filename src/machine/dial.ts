import { connect, type OnReadOpts, type Socket, type TcpSocketConnectOpts } from "node:net";
import { messageOf } from "../base/index.ts";

/** What is asked of every socket to a machine, whoever opens it. */
export interface DialOptions {
  readonly onread?: OnReadOpts;
  readonly allowHalfOpen?: boolean;
}

/** A socket on its way to being open. */
export interface Dialled {
  readonly socket: Socket;
  /** The event after which it may be written to: what comes before is TLS's own. */
  readonly ready: "connect" | "secureConnect";
  /** What went wrong with it, for the reader. */
  readonly explain: (error: Error) => string;
}

/** Opens a connection to where a machine's service is; each call a new one. */
export type Dial = (options: DialOptions) => Dialled;

/** Without TLS. `where` may name the local address to connect from, and how a name is looked up. */
export function dialTcp(where: TcpSocketConnectOpts): Dial {
  return (options) => ({
    socket: connect({ ...where, ...options, noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000 }),
    ready: "connect",
    explain: messageOf,
  });
}
