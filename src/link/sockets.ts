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
 * Accepts channels on a Unix socket that only `owner` may open, and root; left out: this process's own user. A socket file left by a
 * process that is gone is replaced.
 */
export async function listen(
  path: string,
  self: string,
  accept: (channel: Channel) => void,
  owner?: Owner,
): Promise<Server> {
  if (await answers(path)) {
    throw new UnavailableError(
      "already-running",
      `another niac ${self} listens on ${path}`,
      "Stop it first, or give this one another NIAC_RUN_DIR.",
    );
  }
  rmSync(path, { force: true });
  const server = createServer((socket) => accept(new Channel(socket, self)));
  const before = process.umask(0o177);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", (error) => {
        const advice =
          "Check NIAC_RUN_DIR: a directory of this user's, with a path of at most 90 characters.";
        reject(
          new UnavailableError(
            "listen",
            `niac ${self} cannot listen on ${path} (${systemCode(error)})`,
            advice,
            { cause: error },
          ),
        );
      });
      server.listen(path, resolve);
    });
  } finally {
    process.umask(before);
  }
  chmodSync(path, 0o600);
  if (owner) chownSync(path, owner.uid, owner.gid);
  return server;
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
