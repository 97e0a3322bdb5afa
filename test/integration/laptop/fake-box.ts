import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { createServer, type Server } from "node:https";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import {
  basicConstraints,
  certificatePem,
  extendedKeyUsage,
  generateKey,
  keyUsage,
  makeCertificate,
  makeCertsOnly,
  makeName,
  publicKeyInfoOf,
  randomSerial,
  readRequest,
  subjectAltName,
  type KeyPair,
} from "../../../src/x509/index.ts";
import { portOf } from "./running.ts";

/** One question of a laptop's. */
export interface Asked {
  readonly path: string;
  readonly authorization: string | null;
  /** Common name of the client certificate's subject; null: none was shown. */
  readonly by: string | null;
  /** DER; null for a GET. */
  readonly request: Buffer | null;
}

export type Answer =
  | { readonly certificate: Buffer }
  | { readonly status: number; readonly text?: string; readonly retryAfter?: number };

/**
 * An EST server in the box's place, so that it can be made to do what a good box does not: `answer` decides of each request.
 * Its authorities are a root and one beneath it.
 */
export class FakeBox {
  readonly url: string;
  readonly root: Buffer;
  readonly issuing: Buffer;
  readonly asked: Asked[] = [];
  /** By default everybody gets what he asks for, for a day. */
  answer: (asked: Asked) => Answer | Promise<Answer> = ({ request }) => ({
    certificate: this.issue(request),
  });
  /** Other documents, by path. */
  readonly documents = new Map<string, string>();
  readonly #issuingKeys: KeyPair;

  private constructor(server: Server, root: Buffer, issuing: Buffer, issuingKeys: KeyPair) {
    this.root = root;
    this.issuing = issuing;
    this.#issuingKeys = issuingKeys;
    this.url = `https://127.0.0.1:${portOf(server)}`;
    server.on("request", (request, response) => {
      void this.#serve(request).then(({ status, headers, body }) =>
        response.writeHead(status, headers).end(body),
      );
    });
  }

  static async start(t: { teardown(finish: () => void): void }): Promise<FakeBox> {
    const [rootKeys, issuingKeys, serverKeys] = await Promise.all([
      generateKey("p256"),
      generateKey("p256"),
      generateKey("p256"),
    ]);
    const rootName = makeName([["CN", "Fake Root"]]);
    const issuingName = makeName([["CN", "Fake Issuing"]]);
    const life = {
      serialNumber: randomSerial(),
      notBefore: Date.now() - 60_000,
      notAfter: Date.now() + 86_400_000,
    };
    const authority = [basicConstraints({ ca: true }), keyUsage(["keyCertSign", "cRLSign"])];
    const root = makeCertificate(
      {
        ...life,
        issuer: rootName,
        subject: rootName,
        publicKey: publicKeyInfoOf(rootKeys.publicKey),
        extensions: authority,
      },
      rootKeys.privateKey,
    );
    const issuing = makeCertificate(
      {
        ...life,
        issuer: rootName,
        subject: issuingName,
        publicKey: publicKeyInfoOf(issuingKeys.publicKey),
        extensions: authority,
      },
      rootKeys.privateKey,
    );
    const own = makeCertificate(
      {
        ...life,
        serialNumber: randomSerial(),
        issuer: rootName,
        subject: makeName([["CN", "fake box"]]),
        publicKey: publicKeyInfoOf(serverKeys.publicKey),
        extensions: [extendedKeyUsage(["serverAuth"]), subjectAltName([{ ip: "127.0.0.1" }])],
      },
      rootKeys.privateKey,
    );
    const server = createServer({
      cert: certificatePem(own) + certificatePem(root),
      key: serverKeys.privateKey.export({ type: "pkcs8", format: "pem" }),
      ca: [certificatePem(root), certificatePem(issuing)],
      requestCert: true,
      rejectUnauthorized: false,
    });
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    t.teardown(() => {
      server.close();
      server.closeAllConnections();
    });
    return new FakeBox(server, root, issuing, issuingKeys);
  }

  /** A certificate for what a request asks for; DER. `seconds`: its life, which begins now or `since` (milliseconds) ago. */
  issue(request: Buffer | null, seconds = 86_400, since = 1_000): Buffer {
    if (request === null) throw new Error("there is no request");
    const { subjectDer, publicKeyInfo, altNames } = readRequest(request);
    const { dns, ip, uri, email } = altNames;
    const names = [
      ...dns.map((each) => ({ dns: each })),
      ...ip.map((each) => ({ ip: each })),
      ...uri.map((each) => ({ uri: each })),
      ...email.map((each) => ({ email: each })),
    ];
    // Without a name of its own it is the administrator's "alice".
    const subject = subjectDer.length === 2 ? makeName([["CN", "alice"]]) : subjectDer;
    return makeCertificate(
      {
        serialNumber: randomBytes(8).fill(1, 0, 1),
        issuer: makeName([["CN", "Fake Issuing"]]),
        subject,
        notBefore: Date.now() - since,
        notAfter: Date.now() - since + seconds * 1_000,
        publicKey: publicKeyInfo,
        extensions: [keyUsage(["digitalSignature"]), extendedKeyUsage(["clientAuth"]), subjectAltName(names)],
      },
      this.#issuingKeys.privateKey,
    );
  }

  async #serve(
    request: IncomingMessage,
  ): Promise<{ status: number; headers: Record<string, string>; body: string }> {
    const path = request.url ?? "";
    const document = this.documents.get(path);
    if (document !== undefined) {
      return { status: 200, headers: { "Content-Type": "application/json" }, body: document };
    }
    if (path.endsWith("/cacerts")) return certsOnly([this.root, this.issuing]);
    if (request.method !== "POST") return { status: 404, headers: {}, body: "" };
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(Buffer.from(chunk));
    const asked = {
      path,
      authorization: request.headers.authorization ?? null,
      by: byWhom(request.socket),
      request: Buffer.from(Buffer.concat(chunks).toString("latin1"), "base64"),
    };
    this.asked.push(asked);
    const answer = await this.answer(asked);
    if ("certificate" in answer) return certsOnly([answer.certificate]);
    const headers: Record<string, string> = { "Content-Type": "text/plain" };
    if (answer.retryAfter !== undefined) headers["Retry-After"] = String(answer.retryAfter);
    return { status: answer.status, headers, body: answer.text ?? "" };
  }
}

function certsOnly(certificates: Buffer[]): {
  status: number;
  headers: Record<string, string>;
  body: string;
} {
  const headers = { "Content-Type": "application/pkcs7-mime; smime-type=certs-only" };
  return { status: 200, headers, body: makeCertsOnly(certificates).toString("base64") };
}

function byWhom(socket: Socket): string | null {
  if (!(socket instanceof TLSSocket)) return null;
  const { subject } = socket.getPeerCertificate();
  const name = subject?.CN;
  return typeof name === "string" ? name : null;
}
