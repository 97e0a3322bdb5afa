/** The laptops: TLS 1.3 sessions with a client certificate, each sending its next request when it has the reply to the last. */
import { once } from "node:events";
import { connect, createSecureContext, type SecureContext, type TLSSocket } from "node:tls";
import { Exchange, type Kind } from "./frames.ts";

/** The host name asked for by SNI; every proxy's certificate carries it, so all get the same hello. */
export const SERVER_NAME = "modbus.press-4.bench.example";
const SILENCE_LIMIT = 20_000;

/** PEM texts: the engineer's certificate and key (null: none is shown), and the authority a proxy's certificate comes from. */
export interface Credentials {
  readonly own: { readonly cert: string; readonly key: string } | null;
  readonly ca: string;
}

export interface Target {
  readonly name: string;
  readonly port: number;
  readonly context: SecureContext;
}

/**
 * One group and one cipher suite for all, because a proxy with a newer OpenSSL would otherwise be charged for the post-quantum
 * exchange the others cannot do. `group` is OpenSSL's name.
 */
export function targetOf(name: string, port: number, credentials: Credentials, group = "X25519"): Target {
  const context = createSecureContext({
    ...credentials.own,
    ca: credentials.ca,
    minVersion: "TLSv1.3",
    ciphers: "TLS_AES_128_GCM_SHA256",
    ecdhCurve: group,
  });
  return { name, port, context };
}

export class Session {
  readonly #target: Target;
  readonly #socket: TLSSocket;
  readonly #secured: Promise<void>;
  readonly #reply = Buffer.allocUnsafe(512);
  #received = 0;
  #exchange = new Exchange("read");
  #sentAt = 0;
  #onReply: ((microseconds: number) => void) | null = null;
  #onFault: ((error: Error) => void) | null = null;
  #fault: Error | null = null;

  constructor(target: Target) {
    this.#target = target;
    const options = {
      host: "127.0.0.1",
      port: target.port,
      servername: SERVER_NAME,
      secureContext: target.context,
      // Reading into one buffer without a stream in between: the load must cost less than what it measures.
      onread: {
        buffer: Buffer.allocUnsafe(4_096),
        callback: (length: number, bytes: Uint8Array) => this.#read(length, bytes),
      },
    };
    this.#socket = connect(options);
    this.#socket.setNoDelay(true);
    this.#socket.on("error", (error) => this.#fail(error.message));
    this.#socket.on("close", () => this.#fail("it closed the session"));
    this.#secured = this.#confirm();
    // Awaited in `secured`; without this, a refusal that comes before anybody awaits ends the process unexplained.
    this.#secured.catch(() => undefined);
  }

  async #confirm(): Promise<void> {
    const { name } = this.#target;
    this.#socket.setTimeout(SILENCE_LIMIT, () => this.#socket.destroy(new Error("no end of the handshake")));
    await once(this.#socket, "secureConnect");
    this.#socket.setTimeout(0);
    if (this.#socket.getProtocol() !== "TLSv1.3") throw new Error(`${name} did not speak TLS 1.3`);
    if (this.#socket.isSessionReused()) {
      throw new Error(`${name} resumed a session; each handshake must be a full one`);
    }
  }

  secured(): Promise<void> {
    return this.#secured;
  }

  use(kind: Kind, onReply: (microseconds: number) => void, onFault: (error: Error) => void): void {
    this.#exchange = new Exchange(kind);
    this.#onReply = onReply;
    this.#onFault = onFault;
    // Lost while nobody used it: a run that leaves it out would measure fewer sessions than it says.
    if (this.#fault !== null) onFault(this.#fault);
  }

  send(): void {
    this.#received = 0;
    this.#sentAt = performance.now();
    this.#socket.write(this.#exchange.next());
  }

  #read(length: number, bytes: Uint8Array): boolean {
    const expected = this.#exchange.replyLength;
    if (this.#received === 0 && length === expected) {
      this.#judge(bytes);
      return true;
    }
    if (this.#received + length > this.#reply.length) {
      this.#fail(`it sent ${this.#received + length} bytes where ${expected} were expected`);
      return true;
    }
    this.#reply.set(bytes.subarray(0, length), this.#received);
    this.#received += length;
    // An exception is shorter than the reply; its length field tells, so that it is reported and not waited for.
    const complete = this.#received >= 6 && this.#received >= 6 + this.#reply.readUInt16BE(4);
    if (complete) this.#judge(this.#reply);
    return true;
  }

  #judge(bytes: Uint8Array): void {
    const fault = this.#exchange.fault(bytes, 0);
    if (fault !== null) {
      this.#fail(`wrong reply: ${fault}`);
      return;
    }
    this.#onReply?.((performance.now() - this.#sentAt) * 1_000);
  }

  #fail(what: string): void {
    this.#fault ??= new Error(`${this.#target.name}: ${what}`);
    this.#onFault?.(this.#fault);
  }

  async close(): Promise<void> {
    this.#onFault = null;
    this.#onReply = null;
    if (this.#socket.closed) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#socket.once("close", () => resolve());
    this.#socket.destroy();
    await promise;
  }
}

/** Opens `count` sessions, at most 16 handshakes at a time, and does one read on each, so that the proxy's side is complete too. */
export async function openSessions(target: Target, count: number): Promise<Session[]> {
  const sessions: Session[] = [];
  while (sessions.length < count) {
    const batch = Array.from({ length: Math.min(16, count - sessions.length) }, () => new Session(target));
    sessions.push(...batch);
    await Promise.all(batch.map((session) => session.secured()));
  }
  await transact(sessions, count, "read");
  return sessions;
}

export async function closeSessions(sessions: readonly Session[]): Promise<void> {
  await Promise.all(sessions.map((session) => session.close()));
}

/** `count` transactions over all sessions, each session always busy. Gives every round trip in microseconds, in order of completion. */
export function transact(sessions: readonly Session[], count: number, kind: Kind): Promise<Float64Array> {
  const { promise, resolve, reject } = Promise.withResolvers<Float64Array>();
  const trips = new Float64Array(count);
  let sent = 0;
  let done = 0;
  let seen = 0;
  const watch = setInterval(() => {
    if (done === seen)
      reject(new Error(`no reply for ${SILENCE_LIMIT / 1_000} s, after ${done} of ${count} transactions`));
    seen = done;
  }, SILENCE_LIMIT);
  for (const session of sessions) {
    session.use(
      kind,
      (microseconds) => {
        trips[done++] = microseconds;
        if (sent < count) {
          sent++;
          session.send();
        } else if (done === count) {
          resolve(trips);
        }
      },
      reject,
    );
  }
  for (const session of sessions.slice(0, count)) {
    sent++;
    session.send();
  }
  return promise.finally(() => clearInterval(watch));
}

/** `count` sessions one after the other, `parallel` at a time: full handshake, one read, close. */
export async function handshakes(target: Target, count: number, parallel: number): Promise<void> {
  let begun = 0;
  const lane = async (): Promise<void> => {
    while (begun < count) {
      begun++;
      const session = new Session(target);
      try {
        await session.secured();
        await transact([session], 1, "read");
      } finally {
        await session.close();
      }
    }
  };
  await Promise.all(Array.from({ length: parallel }, lane));
}
