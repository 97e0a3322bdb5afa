import { chmodSync, chownSync, rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { Channel, systemCode, UnavailableError } from "../base/index.ts";

/** Names of control's sockets below the run directory: they are two, so that a gateway gone wrong is no administrator. */
export const GATEWAY_SOCKET = "gateway.sock";
export const ADMIN_SOCKET = "admin.sock";
/** netd's own, on which control calls. */
export const NETD_SOCKET = "netd.sock";

/** A user and group of this computer, by number. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Who may open a socket beside root: this process' own user and no other; the group that files in the run directory get, where this
 * process is not root; or another user.
 */
export type Admitted = "own" | "group" | Owner;

const OWN = 0o600;
const GROUP_TOO = 0o660;

/**
 * Accepts channels on a Unix socket that only `admitted` may open, and root. A socket file left by a process that is gone is replaced.
 *
 * Root gives the socket to the user admitted. Who is not root cannot: it opens its own to that user's group, which it must be in.
 * Either way nobody but its owner can put another in its place: the run directory is the owner's alone, or is sticky.
 */
export async function listen(
  path: string,
  self: string,
  accept: (channel: Channel) => void,
  admitted: Admitted = "own",
): Promise<Server> {
  if (await answers(path)) {
    throw new UnavailableError(
      "already-running",
      `another niac ${self} listens on ${path}`,
      "Stop it first, or give this one another NIAC_RUN_DIR.",
    );
  }
  try {
    rmSync(path, { force: true });
  } catch (error) {
    throw cannotListen(path, self, error, "Something that is another user's is in its place: remove it.");
  }
  const server = createServer((socket) => accept(new Channel(socket, self)));
  const before = process.umask(0o177);
  try {
    await new Promise<void>((resolve, reject) => {
      const advice = "Check NIAC_RUN_DIR: a directory of this user's, with a path of at most 90 characters.";
      server.once("error", (error) => reject(cannotListen(path, self, error, advice)));
      server.listen(path, resolve);
    });
  } finally {
    process.umask(before);
  }
  admit(path, admitted);
  return server;
}

function cannotListen(path: string, self: string, cause: unknown, advice: string): UnavailableError {
  const message = `niac ${self} cannot listen on ${path} (${systemCode(cause)})`;
  return new UnavailableError("listen", message, advice, { cause });
}

/** Until here nobody but its owner could open it; the group comes before the mode that lets it in. */
function admit(path: string, admitted: Admitted): void {
  const root = process.getuid?.() === 0;
  if (admitted !== "own" && admitted !== "group") chownSync(path, root ? admitted.uid : -1, admitted.gid);
  chmodSync(path, root || admitted === "own" ? OWN : GROUP_TOO);
}

/** Rejects with an UnavailableError that says what is not there; `other`: the process that should be. */
export async function dial(path: string, self: string, other = "control"): Promise<Channel> {
  return new Channel(await connected(path, other), self);
}

function connected(path: string, other: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.removeAllListeners("error");
      resolve(socket);
    });
    socket.once("error", (error) => {
      const code = systemCode(error);
      const advice =
        code === "EACCES"
          ? "Run the command as the user niac runs as."
          : "Start the appliance with `niac up`, or check NIAC_RUN_DIR.";
      reject(
        new UnavailableError(`${other}-away`, `niac ${other} does not answer on ${path} (${code})`, advice),
      );
    });
  });
}

async function answers(path: string): Promise<boolean> {
  try {
    (await connected(path, "control")).destroy();
    return true;
  } catch (error) {
    if (error instanceof UnavailableError) return false;
    throw error;
  }
}
