/**
 * An authority that is not niac's, with what it publishes: revocation lists by `openssl ca -gencrl`, answers by `openssl ocsp`, and
 * a small web server for the lists. All made by another's implementation.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer as createHttpServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { freePort } from "./ports.ts";
import { openssl, opensslDate } from "./openssl.ts";
import { end } from "./processes.ts";
import type { Authority, Credential } from "./pki.ts";

export interface CrlWish {
  /** Null: the list has no number, and no other extension unless `extensions` names some. */
  readonly number?: number | null;
  readonly lastUpdate?: Date;
  readonly nextUpdate?: Date;
  /** Lines of openssl's x509v3_config, and sections they refer to. */
  readonly extensions?: readonly string[];
  readonly digest?: string;
}

export interface Running {
  readonly url: string;
  stop(): Promise<void>;
}

export class OutsideCa {
  readonly authority: Authority;
  readonly #dir: string;
  readonly #credential: Credential;

  constructor(authority: Authority) {
    this.authority = authority;
    this.#credential = authority.credential;
    this.#dir = dirname(this.#credential.cert);
  }

  /** DER. */
  crl(wish: CrlWish = {}): Buffer {
    const { number = 1, digest = "default" } = wish;
    const last = wish.lastUpdate ?? new Date(Date.now() - 60_000);
    const next = wish.nextUpdate ?? new Date(Date.now() + 86_400_000);
    const numbered = number !== null;
    const extensions = [
      ...(numbered ? ["authorityKeyIdentifier = keyid:always"] : []),
      ...(wish.extensions ?? []),
    ];
    if (numbered) writeFileSync(join(this.#dir, "crlnumber"), `${evenHex(number)}\n`);
    const config = join(this.#dir, "crl.cnf");
    const lines = [
      "[ca]",
      "default_ca = this",
      "[this]",
      `database = ${join(this.#dir, "index.txt")}`,
      ...(numbered ? [`crlnumber = ${join(this.#dir, "crlnumber")}`] : []),
      `certificate = ${this.#credential.cert}`,
      `private_key = ${this.#credential.key}`,
      `default_md = ${digest}`,
      ...(extensions.length === 0 ? [] : ["crl_extensions = crl", "[crl]", ...extensions]),
    ];
    writeFileSync(config, `${lines.join("\n")}\n`);
    const dates = ["-crl_lastupdate", opensslDate(last), "-crl_nextupdate", opensslDate(next)];
    return pemBytes(openssl(["ca", "-config", config, "-gencrl", ...dates]));
  }

  revoke(credential: Credential, reason?: string): void {
    this.authority.revoke(credential, reason);
  }

  /** `openssl ocsp` as a responder on loopback; `signer`: who signs its answers, by default the authority itself. */
  async responder(signer: Credential = this.#credential, more: readonly string[] = []): Promise<Running> {
    const port = await freePort();
    const files = ["-index", join(this.#dir, "index.txt"), "-CA", this.#credential.cert];
    const by = ["-rsigner", signer.cert, "-rkey", signer.key];
    const args = ["ocsp", "-port", String(port), "-ignore_err", ...files, ...by, ...more];
    const child = spawn("openssl", args, { stdio: ["ignore", "ignore", "pipe"] });
    await listens(child);
    return { url: `http://127.0.0.1:${port}/`, stop: () => end(child, "SIGKILL") };
  }
}

/** Hexadecimal, lower case, as it stands in the certificate. */
export function serialOf(credential: Credential): string {
  const text = openssl(["x509", "-in", credential.cert, "-noout", "-serial"]);
  const hex = text.trim().split("=")[1]!.toLowerCase();
  return hex.replace(/^(00)+(?=..)/, "");
}

export function derOf(credential: Credential): Buffer {
  return pemBytes(credential.certPem);
}

function pemBytes(pem: string): Buffer {
  return Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ""), "base64");
}

/** A web server on loopback that answers as the test says. */
export async function webServer(
  answer: RequestListener,
): Promise<Running & { readonly requests: () => number }> {
  let requests = 0;
  const server = createHttpServer((request, response) => {
    requests += 1;
    answer(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${portOf(server.address())}`,
    requests: () => requests,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function evenHex(number: number): string {
  const hex = number.toString(16);
  return hex.length % 2 === 0 ? hex : `0${hex}`;
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return address.port;
}

/** Told by its own words: a connection made only to look would keep openssl waiting on it. */
async function listens(child: ChildProcess): Promise<void> {
  let words = "";
  await new Promise<void>((resolve, reject) => {
    child.stderr?.on("data", (chunk: Buffer) => {
      words += chunk.toString();
      if (words.includes("waiting for OCSP client connections")) resolve();
    });
    child.once("exit", () => reject(new Error(`openssl ocsp ended: ${words}`)));
  });
}
