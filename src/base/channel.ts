import type { Socket } from "node:net";
import * as z from "zod";
import { BugError, messageOf, NiacError, PeerError, UnavailableError, UsageError } from "./errors.ts";
import { encodeFrame, FrameReader } from "./frames.ts";

/**
 * The typed channel between niac's processes: calls with an answer and events without, both ways, over a Unix socket.
 * Whatever arrives is parsed with the schema of its definition before anybody sees it. Both sides say first which version
 * they speak; another version ends the channel.
 */
export const CHANNEL_VERSION = 1;

export interface Call<Params, Result> {
  readonly name: string;
  readonly params: z.ZodType<Params>;
  readonly result: z.ZodType<Result>;
}

export interface Event<Params> {
  readonly name: string;
  readonly params: z.ZodType<Params>;
}

export function defineCall<Params, Result>(
  name: string,
  params: z.ZodType<Params>,
  result: z.ZodType<Result>,
): Call<Params, Result> {
  return { name, params, result };
}

export function defineEvent<Params>(name: string, params: z.ZodType<Params>): Event<Params> {
  return { name, params };
}

const errorSchema = z.strictObject({
  family: z.enum(["PeerError", "UsageError", "UnavailableError", "BugError"]),
  code: z.string(),
  message: z.string(),
  advice: z.string().optional(),
});

const messageSchema = z.union([
  z.strictObject({ hello: z.strictObject({ version: z.number(), process: z.string() }) }),
  z.strictObject({ call: z.string(), id: z.number(), params: z.unknown() }),
  z.strictObject({ id: z.number(), result: z.unknown() }),
  z.strictObject({ id: z.number(), error: errorSchema }),
  z.strictObject({ event: z.string(), params: z.unknown() }),
]);

type Handler = (params: unknown) => unknown;

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

export class Channel {
  readonly #socket: Socket;
  readonly #reader = new FrameReader();
  readonly #calls = new Map<string, Handler>();
  readonly #events = new Map<string, Handler>();
  readonly #waiting = new Map<number, Waiting>();
  readonly #closed: Array<(error: Error) => void> = [];
  #nextId = 1;
  #greeted = false;
  #end: Error | null = null;

  /** `self` is this process's name for the other side's messages: `control`, `gateway`, `command`. */
  constructor(socket: Socket, self: string) {
    this.#socket = socket;
    socket.on("data", (chunk) => this.#data(chunk));
    socket.on("error", (error) => this.#finish(new UnavailableError("channel-lost", messageOf(error))));
    socket.on("close", () => this.#finish(new UnavailableError("channel-lost", "the channel was closed")));
    this.#send({ hello: { version: CHANNEL_VERSION, process: self } });
  }

  /** Answers calls of that definition. What the handler throws reaches the caller with its code and advice. */
  handle<Params, Result>(
    call: Call<Params, Result>,
    handler: (params: Params) => Result | Promise<Result>,
  ): void {
    this.#calls.set(call.name, (params) => handler(parseWith(call.params, params, call.name)));
  }

  on<Params>(event: Event<Params>, handler: (params: Params) => void): void {
    this.#events.set(event.name, (params) => handler(parseWith(event.params, params, event.name)));
  }

  /** Bytes that the other side has not taken yet. */
  get unsent(): number {
    return this.#socket.writableLength;
  }

  onClosed(listener: (error: Error) => void): void {
    if (this.#end) listener(this.#end);
    else this.#closed.push(listener);
  }

  /** Rejects with an UnavailableError where the channel ends before the answer: whether it was done is then unknown. */
  async call<Params, Result>(call: Call<Params, Result>, params: Params): Promise<Result> {
    if (this.#end) throw this.#end;
    const id = this.#nextId++;
    const result = await new Promise<unknown>((resolve, reject) => {
      this.#send({ call: call.name, id, params });
      this.#waiting.set(id, { resolve, reject });
    });
    return parseWith(call.result, result, call.name);
  }

  notify<Params>(event: Event<Params>, params: Params): void {
    if (!this.#end) this.#send({ event: event.name, params });
  }

  close(): void {
    this.#socket.end();
    this.#finish(new UnavailableError("channel-lost", "the channel was closed on this side"));
  }

  #send(message: unknown): void {
    this.#socket.write(encodeFrame(message));
  }

  #data(chunk: Buffer): void {
    try {
      for (const value of this.#reader.push(chunk)) this.#message(parseWith(messageSchema, value, "message"));
    } catch (error) {
      this.#finish(error instanceof Error ? error : new PeerError("channel", messageOf(error)));
      this.#socket.destroy();
    }
  }

  #message(message: z.infer<typeof messageSchema>): void {
    if ("hello" in message) {
      if (message.hello.version !== CHANNEL_VERSION) {
        throw new PeerError(
          "channel-version",
          `${message.hello.process} speaks version ${message.hello.version} of the channel, this process ${CHANNEL_VERSION}`,
          "Run the same version of niac on both sides.",
        );
      }
      this.#greeted = true;
      return;
    }
    if (!this.#greeted)
      throw new PeerError("channel-hello", "the other side did not say which version it speaks");
    if ("event" in message) {
      const handler = this.#events.get(message.event);
      if (!handler) throw new PeerError("channel-event", `no such event: ${message.event}`);
      handler(message.params);
    } else if ("call" in message) {
      void this.#answer(message.call, message.id, message.params);
    } else {
      const waiting = this.#waiting.get(message.id);
      if (!waiting)
        throw new PeerError("channel-answer", `an answer to call ${message.id}, which nobody made`);
      this.#waiting.delete(message.id);
      if ("error" in message) waiting.reject(revive(message.error));
      else waiting.resolve(message.result);
    }
  }

  async #answer(name: string, id: number, params: unknown): Promise<void> {
    try {
      const handler = this.#calls.get(name);
      if (!handler) throw new UsageError("channel-call", `no such call here: ${name}`);
      const result = await handler(params);
      if (!this.#end) this.#send({ id, result: result ?? null });
    } catch (error) {
      if (!this.#end) this.#send({ id, error: flatten(error) });
    }
  }

  #finish(error: Error): void {
    if (this.#end) return;
    this.#end = error;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
    for (const listener of this.#closed) listener(error);
  }
}

function parseWith<T>(schema: z.ZodType<T>, value: unknown, name: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new PeerError("channel-shape", `${name} has the wrong shape: ${z.prettifyError(parsed.error)}`);
}

function flatten(error: unknown): z.infer<typeof errorSchema> {
  if (!(error instanceof NiacError)) return { family: "BugError", code: "bug", message: messageOf(error) };
  const family = errorSchema.shape.family.safeParse(error.name);
  return {
    family: family.success ? family.data : "BugError",
    code: error.code,
    message: error.message,
    ...(error.advice === undefined ? {} : { advice: error.advice }),
  };
}

function revive(error: z.infer<typeof errorSchema>): NiacError {
  switch (error.family) {
    case "PeerError":
      return new PeerError(error.code, error.message, error.advice);
    case "UsageError":
      return new UsageError(error.code, error.message, error.advice);
    case "UnavailableError":
      return new UnavailableError(error.code, error.message, error.advice);
    case "BugError":
      return new BugError(error.code, error.message, error.advice);
  }
}
