import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";

/**
 * Ends a client's connection at once. One without TLS that is not on its way to its end already is reset, so that an old client
 * or a machine knows now and does not wait for answers; what TLS protects has its own end.
 */
export function cut(socket: Socket): void {
  if (socket instanceof TLSSocket || socket.readableEnded || socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
