/** A thread that is the box's memory card: an NBD server on a socket. In a thread, so that a test which waits for a command does not stop the disk. */
import { createServer, type Socket } from "node:net";
import { parentPort, workerData } from "node:worker_threads";
import { z } from "zod";
import { Conversation, greeting } from "./nbd.ts";
import { chance } from "../seed.ts";
import { VolatileDisk } from "./volatile.ts";

const start = z
  .object({
    file: z.string(),
    socket: z.string(),
    ranges: z.array(z.object({ name: z.string(), start: z.number(), end: z.number() })),
  })
  .parse(workerData);
const order = z.discriminatedUnion("what", [
  z.object({ what: z.literal("settle") }),
  z.object({ what: z.literal("counts") }),
  z.object({ what: z.literal("cut"), seed: z.number() }),
  /** Stops answering before the write that is so many writes away; `range`: only those to it count, and stop it. */
  z.object({ what: z.literal("stop-at"), writes: z.number(), range: z.string().nullable() }),
  z.object({ what: z.literal("pace"), slow: z.boolean() }),
]);
export type CardOrder = z.infer<typeof order>;

/** The least that a card of class A1 does (SD Association): 10 MB and 500 writes a second. Milliseconds for a byte, and for a write. */
const SLOW = { byte: 1000 / 10e6, write: 1000 / 500 };

const disk = new VolatileDisk(
  start.file,
  start.ranges.map((range) => ({ ...range, bytes: 0 })),
);
const sockets = new Set<Socket>();
/** Requests to write that are still served; then the card is dead until the power comes back. */
let left = Number.POSITIVE_INFINITY;
/** The partition that these go to; null: to any. */
let only: string | null = null;
let dead = false;
/** Whether writes take the time that they take a slow card, one after the other; else they take none. */
let slow = false;
/** When it has done what it was given, as performance.now(). */
let busyUntil = 0;

/** What came after a write waits for it. NBD's answers may come in any order. */
function answer(send: () => void): void {
  const wait = busyUntil - performance.now();
  if (wait > 0) setTimeout(send, wait);
  else send();
}

const mortal = {
  size: disk.size,
  read: (offset: number, length: number): Buffer => disk.read(offset, length),
  write: (offset: number, data: Buffer, force: boolean): void => {
    if (only === null || disk.isOf(only, offset)) {
      if (left <= 0) {
        dead = true;
        parentPort?.postMessage({ what: "stopped" });
        return;
      }
      left--;
    }
    disk.write(offset, data, force);
    if (slow)
      busyUntil = Math.max(busyUntil, performance.now()) + Math.max(SLOW.write, data.length * SLOW.byte);
  },
  flush: (): void => {
    if (!dead) disk.flush();
  },
};

const server = createServer((socket) => {
  sockets.add(socket);
  const conversation = new Conversation(mortal, (data) => {
    answer(() => {
      if (!dead) socket.write(data);
    });
  });
  socket.write(greeting());
  socket.on("data", (data) => {
    if (dead) return;
    if (!conversation.take(data)) socket.end();
  });
  // QEMU is killed, not closed.
  socket.on("error", () => socket.destroy());
  socket.on("close", () => sockets.delete(socket));
});
server.listen(start.socket, () => parentPort?.postMessage({ what: "ready" }));

parentPort?.on("message", (message: unknown) => {
  const asked = order.parse(message);
  if (asked.what === "stop-at") [left, only] = [asked.writes, asked.range];
  if (asked.what === "pace") slow = asked.slow;
  if (asked.what === "settle") disk.settle();
  let lost = 0;
  if (asked.what === "cut") {
    for (const socket of sockets) socket.destroy();
    const next = chance(asked.seed);
    lost = disk.cut(() => next() < 0.5);
    [left, only, dead] = [Number.POSITIVE_INFINITY, null, false];
  }
  parentPort?.postMessage({
    what: "done",
    lost,
    ...disk.counts,
    ranges: disk.ranges.map(({ name, bytes }) => ({ name, bytes })),
  });
});
