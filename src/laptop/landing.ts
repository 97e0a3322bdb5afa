import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { durationText, nodeHttp, printable, UsageError } from "../base/index.ts";

const TEXT = {
  "Content-Type": "text/plain; charset=utf-8",
  "Cache-Control": "no-store",
  Connection: "close",
};

/** Where the browser comes back to after signing in: a port of this computer that lives for one sign-in (RFC 8252, section 7.3). */
export class Landing {
  readonly url: string;
  readonly #server: Server;
  /** Null: nobody waits, and nobody can arrive. */
  #awaited: { readonly state: string; readonly arrived: (url: URL) => void } | null = null;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.url = `http://127.0.0.1:${port}/`;
    server.on("request", (request, response) => this.#answer(request, response));
  }

  static async open(): Promise<Landing> {
    const server = nodeHttp().createServer();
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(0, "127.0.0.1", resolve);
    });
    const address = server.address();
    return new Landing(server, typeof address === "object" && address !== null ? address.port : 0);
  }

  /** The URL the browser came back with. `patience` in milliseconds; rejects with a UsageError when it is over, or at the signal. */
  arrival(state: string, patience: number, signal: AbortSignal): Promise<URL> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(slow);
        signal.removeEventListener("abort", stopped);
        this.#awaited = null;
      };
      const fail = (what: string): void => {
        settle();
        reject(new UsageError("sign-in", what, "Run the command again; nothing was enrolled."));
      };
      const slow = setTimeout(() => fail(`nobody signed in within ${durationText(patience)}`), patience);
      const stopped = (): void => fail("signing in was stopped");
      signal.addEventListener("abort", stopped);
      const arrived = (url: URL): void => {
        settle();
        resolve(url);
      };
      this.#awaited = { state, arrived };
      if (signal.aborted) stopped();
    });
  }

  close(): void {
    this.#server.close();
    this.#server.closeIdleConnections();
  }

  /** Only who knows the state ends the waiting: other programs and pages can reach this port too. */
  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = URL.canParse(request.url ?? "", this.url) ? new URL(request.url ?? "", this.url) : null;
    const awaited = this.#awaited;
    const ours = request.method === "GET" && url?.pathname === "/";
    if (!ours || awaited === null || url.searchParams.get("state") !== awaited.state) {
      response.writeHead(404, TEXT).end("Nothing is here.\n");
      return;
    }
    const error = url.searchParams.get("error_description") ?? url.searchParams.get("error");
    const said = error === null ? "You are signed in." : `You are not signed in: ${printable(error)}.`;
    response.writeHead(200, TEXT).end(`${said} Close this page and go back to the terminal.\n`);
    awaited.arrived(url);
  }
}
