/**
 * A TLS connection whose key a token holds. Node's own TLS takes no key from elsewhere, so a child `openssl s_client` makes the
 * connection, with OpenSSL's PKCS#11 engine, and its standard input and output are the stream. It cannot pass on that one side has
 * said all: once the local side has, what still comes is waited for until nothing has come for a while.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { isIP } from "node:net";
import { Duplex, type Readable, type Writable } from "node:stream";
import { BugError, systemCode, type NiacError } from "../base/index.ts";
import type { TokenAccess } from "./credentials.ts";
import type { TokenKey } from "./profile.ts";
import { noTool } from "./token-tool.ts";

/** How to connect: what `openssl s_client` is told. */
export interface TokenDial {
  readonly host: string;
  readonly port: number;
  /** Name or address that the other side's certificate must carry. */
  readonly name: string;
  /** By SNI; "" for none. */
  readonly serverName: string;
  /** ALPN; null: none. */
  readonly protocol: string | null;
  /** Paths of PEM files: own certificate with its chain, and the authorities by which the other side is checked. */
  readonly certificate: string;
  readonly ca: string;
}

/** Characters of its words that are kept for explaining a failure. */
const MAX_WORDS = 16_384;
/** Milliseconds without a byte, after the local side has said all, until the connection is ended. */
const SILENCE = 2_000;
/** The descriptor under which the child finds the PIN. */
const PIN_DESCRIPTOR = 3;

export class TokenStream extends Duplex {
  readonly #child: ChildProcess;
  readonly #in: Writable;
  readonly #out: Readable;
  /** Runs once the local side has said all. */
  #silence: NodeJS.Timeout | null = null;

  /** `explain`: what s_client said, made an error, where it ended before a byte came. */
  constructor(
    dial: TokenDial,
    { key, pin, environment }: TokenAccess,
    explain: (words: string) => NiacError,
  ) {
    // When the other side has said all, the child has ended, and nothing more can be said to it.
    super({ allowHalfOpen: false });
    const child = spawn("openssl", argumentsOf(dial, key), {
      env: { ...environment, PKCS11_MODULE_PATH: key.module },
      stdio: ["pipe", "pipe", "pipe", pin],
    });
    const { stdin, stdout, stderr } = child;
    if (!stdin || !stdout || !stderr) throw new BugError("token-stream", "a child without its streams");
    [this.#child, this.#in, this.#out] = [child, stdin, stdout];
    let words = "";
    let received = 0;
    stderr.setEncoding("utf8").on("data", (text: string) => (words = (words + text).slice(-MAX_WORDS)));
    stdout.on("data", (chunk: Buffer) => {
      received += chunk.length;
      this.#silence?.refresh();
      if (!this.push(chunk)) stdout.pause();
    });
    // Why it takes no more is known when it has ended.
    stdin.on("error", () => {});
    child.once("error", (error) => this.destroy(noTool("openssl", "openssl", systemCode(error))));
    child.once("close", (code) => {
      // The engine can crash where the PIN is wrong, so that there is a signal and no code.
      if (code !== 0 && !child.killed && received === 0) this.destroy(explain(words));
      else this.push(null);
    });
  }

  override _read(): void {
    this.#out.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#in.write(chunk, () => done());
  }

  override _final(done: () => void): void {
    this.#silence = setTimeout(() => this.#child.kill(), SILENCE);
    // Not when it is through: a child that is gone takes nothing more, and says nothing of it.
    this.#in.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (this.#silence) clearTimeout(this.#silence);
    this.#child.kill();
    done(error);
  }
}

function argumentsOf(
  { host, port, name, serverName, protocol, certificate, ca }: TokenDial,
  key: TokenKey,
): string[] {
  const place = isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
  const uri = keyUri(key, `file:/proc/self/fd/${PIN_DESCRIPTOR}`);
  const withKey = ["-engine", "pkcs11", "-keyform", "engine", "-key", uri];
  const withCertificate = ["-cert", certificate, "-cert_chain", certificate];
  const checked = ["-CAfile", ca, "-no-CApath", "-no-CAstore", "-verify_return_error", "-verify", "10"];
  const named = [isIP(name) === 0 ? "-verify_hostname" : "-verify_ip", name];
  const asked = serverName === "" ? ["-noservername"] : ["-servername", serverName];
  const spoken = ["-tls1_3", ...(protocol === null ? [] : ["-alpn", protocol])];
  // Quiet: nothing of its own on standard output, and no letter of the input is a command.
  const how = ["-quiet", ...withKey, ...withCertificate, ...checked, ...named, ...asked, ...spoken];
  return ["s_client", ...how, "-connect", place];
}

/** RFC 7512. `pin`: where the PIN is read from; null: whoever uses the key asks. */
export function keyUri({ label, id }: TokenKey, pin: string | null): string {
  const bytes = (id.match(/../g) ?? []).map((each) => `%${each}`).join("");
  const source = pin === null ? "" : `;pin-source=${pin}`;
  return `pkcs11:token=${encodeURIComponent(label)};id=${bytes};type=private${source}`;
}
