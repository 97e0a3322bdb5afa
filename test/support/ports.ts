/** Ports of 127.0.0.1 for programs that are told which to listen on. */
import { createServer, type Server } from "node:net";

/**
 * Below the range from which the kernel gives ports of its own accord (32768 on Linux): there, whoever connects while a
 * program starts, or while it starts again, may be given the one it was promised.
 */
const FIRST = 10_000;
const END = 32_700;
/** A test process has the ports of a block to itself: it listens on the block's first for as long as it lives. */
const BLOCK = 100;

let next = 0;
let end = 0;
let last: Promise<number> = Promise.resolve(0);

/** A port that nobody listens on, and that no other test process is given. */
export function freePort(): Promise<number> {
  // One at a time; who asked before hears himself of what went wrong.
  return (last = last.then(find, find));
}

async function find(): Promise<number> {
  for (;;) {
    if (next === end) await reserve();
    const port = next++;
    const server = await listen(port);
    if (server === undefined) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}

/**
 * Takes the next block that no other process has, from one that its number chooses: the block of a process that has just ended still has
 * connections in TIME_WAIT, beside which a server without SO_REUSEADDR cannot listen.
 */
async function reserve(): Promise<void> {
  const blocks = (END - FIRST) / BLOCK;
  const first = end === 0 ? process.pid : (end - FIRST) / BLOCK;
  for (let tried = 0; tried < blocks; tried++) {
    const base = FIRST + ((first + tried) % blocks) * BLOCK;
    const held = await listen(base);
    if (held === undefined) continue;
    held.unref();
    next = base + 1;
    end = base + BLOCK;
    return;
  }
  throw new Error(`all ports of 127.0.0.1 from ${FIRST} to ${END} are in use`);
}

/** Undefined where somebody listens there. */
function listen(port: number): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) =>
      error.code === "EADDRINUSE" ? resolve(undefined) : reject(error),
    );
    server.listen({ host: "127.0.0.1", port, exclusive: true }, () => resolve(server));
  });
}
