import { connect, createServer, type Server, type Socket } from "node:net";
import { connectMachines } from "../../../src/laptop/connect.ts";
import { readOptions, type Typed } from "../../../src/laptop/options.ts";

export interface Running {
  readonly lines: string[];
  /** Resolves with the first line that matches, printed already or to come; rejects where the command ends before. */
  line(pattern: RegExp): Promise<string>;
  /** Ctrl-C. */
  interrupt(): void;
  /** Settles when the command does. */
  readonly done: Promise<void>;
}

/** `niac connect` in this process, as without a terminal. */
export function run(typed: Typed): Running {
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  const interruption = Promise.withResolvers<void>();
  const done = connectMachines(
    readOptions(typed, () => undefined),
    {
      lookup: () => undefined,
      print: (line) => {
        lines.push(line);
        for (const look of waiting) look();
      },
      complain: () => {},
      screen: null,
      interrupted: () => interruption.promise,
      ask: () => Promise.resolve(null),
      browse: () => {},
      environment: {},
      platform: "linux",
      home: "/nonexistent",
      hostname: "laptop-7",
      program: [],
    },
  );
  const line = (pattern: RegExp): Promise<string> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = lines.find((each) => pattern.test(each));
        if (found === undefined) return;
        waiting.delete(look);
        resolve(found);
      };
      waiting.add(look);
      look();
      done.then(() => reject(new Error(`the command ended, and printed no ${pattern}`)), reject);
    });
  return { lines, line, interrupt: () => interruption.resolve(), done };
}

/** The local port of `press-4/<service>`, from the printed table. */
export async function localPort(running: Running, service: string): Promise<number> {
  const row = await running.line(new RegExp(`^press-4 +${service} `));
  return Number(/ 127\.0\.0\.1:(\d+) /.exec(row)?.[1]);
}

/** A local program's connection. */
export function local(port: number): Socket {
  return connect({ host: "127.0.0.1", port, allowHalfOpen: true });
}

/** All that comes until the end; an error's code where the connection breaks. */
export function everything(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.on("end", () => socket.end());
    socket.on("error", (error) => resolve("code" in error ? String(error.code) : error.message));
    socket.on("close", () => resolve(Buffer.concat(chunks).toString("latin1")));
  });
}

/** A server on a free port of 127.0.0.1. */
export async function listening(answer: (socket: Socket) => void): Promise<{ server: Server; port: number }> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return { server, port: portOf(server) };
}

export function portOf(server: Pick<Server, "address">): number {
  const address = server.address();
  if (typeof address === "object" && address !== null) return address.port;
  throw new Error("the server does not listen");
}
