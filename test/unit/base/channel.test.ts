import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { z } from "zod";
import {
  BugError,
  Channel,
  CHANNEL_VERSION,
  defineCall,
  defineEvent,
  PeerError,
  UnavailableError,
  UsageError,
} from "../../../src/base/index.ts";
import { encodeFrame, FrameReader, MAX_MESSAGE } from "../../../src/base/frames.ts";

const add = defineCall("add", z.strictObject({ a: z.number(), b: z.number() }), z.number());
const fail = defineCall("fail", z.string(), z.null());
const never = defineCall("never", z.null(), z.null());
const said = defineEvent("said", z.strictObject({ text: z.string() }));

/** Both ends of a connection over a Unix socket. */
async function sockets(t: ExecutionContext): Promise<[Socket, Socket]> {
  const dir = mkdtempSync(join(tmpdir(), "niac-channel-"));
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(join(dir, "channel.sock"), resolve));
  const accepted = new Promise<Socket>((resolve) => server.once("connection", resolve));
  const near = connect(join(dir, "channel.sock"));
  const far = await accepted;
  server.close();
  t.teardown(() => {
    near.destroy();
    far.destroy();
    rmSync(dir, { recursive: true, force: true });
  });
  return [near, far];
}

async function channels(t: ExecutionContext): Promise<[Channel, Channel]> {
  const [near, far] = await sockets(t);
  return [new Channel(near, "gateway"), new Channel(far, "control")];
}

function ended(channel: Channel): Promise<Error> {
  return new Promise((resolve) => channel.onClosed(resolve));
}

/** A peer that speaks whatever it is told, after a proper greeting unless that is told otherwise. */
async function raw(t: ExecutionContext, ...messages: unknown[]): Promise<Channel> {
  const [near, far] = await sockets(t);
  const channel = new Channel(near, "gateway");
  for (const message of messages) far.write(encodeFrame(message));
  far.resume();
  return channel;
}

const HELLO = { hello: { version: CHANNEL_VERSION, process: "control" } };

test("calls are answered both ways, many at once, each with its own answer", async (t) => {
  const [near, far] = await channels(t);
  const waiting: Array<() => void> = [];
  far.handle(add, ({ a, b }) => {
    const { promise, resolve } = Promise.withResolvers<number>();
    waiting.push(() => resolve(a + b));
    // Answered only when all are asked, the last one first.
    if (waiting.length === 50) for (const answer of waiting.toReversed()) answer();
    return promise;
  });
  near.handle(add, ({ a, b }) => a * b);
  const sums = Array.from({ length: 50 }, (_, i) => near.call(add, { a: i, b: 100 }));
  t.is(await far.call(add, { a: 6, b: 7 }), 42);
  t.deepEqual(
    await Promise.all(sums),
    sums.map((_, i) => i + 100),
  );
});

test("events come in the order in which they were sent", async (t) => {
  const [near, far] = await channels(t);
  const heard: string[] = [];
  const all = new Promise<void>((resolve) => {
    far.on(said, ({ text }) => {
      if (heard.push(text) === 3) resolve();
    });
  });
  for (const text of ["one", "two", "three"]) near.notify(said, { text });
  await all;
  t.deepEqual(heard, ["one", "two", "three"]);
});

test("an error keeps its family, code, message and advice", async (t) => {
  const [near, far] = await channels(t);
  const errors = [
    new PeerError("peer", "the peer's", "Ask the peer."),
    new UsageError("usage", "the caller's", "Ask otherwise."),
    new UnavailableError("away", "away for now", "Try again."),
    new BugError("bug-code", "our own"),
  ];
  far.handle(fail, (which) => {
    throw errors[Number(which)] ?? new TypeError("no such error");
  });
  for (const [i, { name, code, message, advice, constructor }] of errors.entries()) {
    const error = await t.throwsAsync(near.call(fail, String(i)), { code, message });
    t.is(error?.constructor, constructor);
    t.like(error, { name, advice });
  }
  const plain = await t.throwsAsync(near.call(fail, "9"), { instanceOf: BugError, code: "bug" });
  t.is(plain?.message, "no such error");
});

test("a call nobody handles is refused, and the channel goes on", async (t) => {
  const [near, far] = await channels(t);
  await t.throwsAsync(near.call(never, null), { instanceOf: UsageError, code: "channel-call" });
  far.handle(add, ({ a, b }) => a + b);
  t.is(await near.call(add, { a: 1, b: 2 }), 3);
});

test("parameters of the wrong shape never reach the handler", async (t) => {
  const [near, far] = await channels(t);
  let handled = 0;
  far.handle(add, () => handled++);
  const loose = defineCall("add", z.unknown(), z.unknown());
  for (const params of [null, { a: 1 }, { a: 1, b: "2" }, { a: 1, b: 2, c: 3 }]) {
    await t.throwsAsync(near.call(loose, params), { instanceOf: PeerError, code: "channel-shape" });
  }
  t.is(handled, 0);
});

test("an answer of the wrong shape is the answerer's error, and the channel goes on", async (t) => {
  const [near, far] = await channels(t);
  far.handle(defineCall("add", add.params, z.unknown()), ({ a, b }) => (a === 0 ? "text" : a + b));
  await t.throwsAsync(near.call(add, { a: 0, b: 0 }), { instanceOf: PeerError, code: "channel-shape" });
  t.is(await near.call(add, { a: 1, b: 2 }), 3);
});

test("another version ends the channel, and says which each side speaks", async (t) => {
  const channel = await raw(t, { hello: { version: CHANNEL_VERSION + 1, process: "control" } });
  const error = await ended(channel);
  t.like(error, { name: "PeerError", code: "channel-version" });
  t.regex(error.message, /control speaks version 2 of the channel, this process 1/);
  await t.throwsAsync(channel.call(never, null), { code: "channel-version" });
});

test("who does not greet first is not listened to", async (t) => {
  const channel = await raw(t, { event: "said", params: { text: "hello" } });
  let heard = 0;
  channel.on(said, () => heard++);
  t.like(await ended(channel), { code: "channel-hello" });
  t.is(heard, 0);
});

for (const [what, code, message] of [
  ["is no message", "channel-shape", { something: "else" }],
  ["has a field too many", "channel-shape", { event: "said", params: { text: "x" }, more: 1 }],
  ["is an event nobody knows", "channel-event", { event: "unknown", params: null }],
  ["is an event of the wrong shape", "channel-shape", { event: "said", params: { text: 1 } }],
  ["answers a call nobody made", "channel-answer", { id: 7, result: null }],
  [
    "is an error of no family",
    "channel-shape",
    { id: 7, error: { family: "Error", code: "x", message: "y" } },
  ],
] as const) {
  test(`a message that ${what} ends the channel`, async (t) => {
    const channel = await raw(t, HELLO, message);
    channel.on(said, () => {});
    t.like(await ended(channel), { name: "PeerError", code });
  });
}

test("a frame over the limit ends the channel before it is read", async (t) => {
  const [near, far] = await sockets(t);
  const channel = new Channel(near, "gateway");
  far.write(encodeFrame(HELLO));
  const header = Buffer.alloc(4);
  header.writeUInt32BE(MAX_MESSAGE + 1);
  far.write(header);
  t.like(await ended(channel), { code: "message-size" });
});

test("closing rejects what waits, on both sides, and everything after", async (t) => {
  const [near, far] = await channels(t);
  const asked = new Promise<void>((resolve) => {
    far.handle(never, () => {
      resolve();
      return new Promise<null>(() => {});
    });
  });
  const waiting = near.call(never, null);
  await asked;
  const farEnd = ended(far);
  near.close();
  await t.throwsAsync(waiting, { instanceOf: UnavailableError, code: "channel-lost" });
  await t.throwsAsync(near.call(never, null), { instanceOf: UnavailableError, code: "channel-lost" });
  t.notThrows(() => near.notify(said, { text: "nobody hears it" }));
  t.like(await farEnd, { name: "UnavailableError", code: "channel-lost" });
  const told = await new Promise<Error>((resolve) => far.onClosed(resolve));
  t.like(told, { code: "channel-lost" }, "who listens late is told at once");
});

test("a process that dies rejects what waits for it", async (t) => {
  const [near, far] = await sockets(t);
  const channel = new Channel(near, "gateway");
  far.write(encodeFrame(HELLO));
  const waiting = channel.call(never, null);
  far.once("data", () => far.destroy());
  await t.throwsAsync(waiting, { instanceOf: UnavailableError, code: "channel-lost" });
});

test("a call that is too large to be sent fails alone, and the channel goes on", async (t) => {
  const [near, far] = await channels(t);
  const text = defineCall("text", z.string(), z.number());
  far.handle(text, (given) => given.length);
  await t.throwsAsync(near.call(text, "x".repeat(MAX_MESSAGE)), { code: "message-size" });
  t.is(await near.call(text, "short"), 5);
});

test("an answer that is too large to be sent reaches the caller as an error", async (t) => {
  const [near, far] = await channels(t);
  const text = defineCall("text", z.null(), z.string());
  far.handle(text, () => "x".repeat(MAX_MESSAGE));
  await t.throwsAsync(near.call(text, null), { code: "message-size" });
});

test("each side says its version before anything else", async (t) => {
  const [near, far] = await sockets(t);
  const channel = new Channel(near, "gateway");
  const waiting = channel.call(never, null);
  const first = await new Promise<unknown[]>((resolve) => {
    const reader = new FrameReader();
    far.on("data", (chunk) => {
      const messages = reader.push(chunk);
      if (messages.length > 0) resolve(messages);
    });
  });
  t.deepEqual(first[0], { hello: { version: CHANNEL_VERSION, process: "gateway" } });
  channel.close();
  await t.throwsAsync(waiting, { code: "channel-lost" });
});
