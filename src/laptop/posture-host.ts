/** The rim of the probes: this computer's files and programs. */
import { execFile } from "node:child_process";
import { readdirSync, readFileSync, realpathSync } from "node:fs";
import { release } from "node:os";
import { posix } from "node:path";
import { messageOf, systemCode } from "../base/index.ts";
import {
  unknown,
  type HostFiles,
  type PostureFindings,
  type PostureHost,
  type Ran,
} from "./posture-facts.ts";
import { linuxPosture } from "./posture-linux.ts";
import { macosPosture } from "./posture-macos.ts";
import { windowsPosture } from "./posture-windows.ts";
import type { Computer } from "./places.ts";

/** Milliseconds that a program may take, and bytes that it may print. */
const PATIENCE = 15_000;
const MAX_PRINTED = 4 * 1_048_576;

export function thisHost({ platform, home, lookup }: Computer): PostureHost {
  return { platform, release: release(), home, lookup, files: hostFiles("/"), run };
}

/** `root`: where the computer's files lie; links that lead out of it are followed as on that computer. */
export function hostFiles(root: string): HostFiles {
  const base = root === "/" ? "" : realpathSync(root);
  return {
    read: (path) => tried(() => readFileSync(posix.join(base, path), "utf8")),
    list: (path) => tried(() => readdirSync(posix.join("/", base, path))),
    real: (path) => tried(() => realpathSync(posix.join("/", base, path)).slice(base.length)),
  };
}

function tried<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}

function run(program: string, args: readonly string[]): Promise<Ran> {
  return new Promise((resolve) => {
    const options = {
      timeout: PATIENCE,
      maxBuffer: MAX_PRINTED,
      windowsHide: true,
      encoding: "utf8",
    } as const;
    execFile(program, args, options, (error, out) => {
      if (error === null) resolve({ out });
      else resolve({ problem: `${program} cannot be asked (${systemCode(error) || messageOf(error)})` });
    });
  });
}

/** Looks; takes seconds on Windows. */
export async function lookAtHost(host: PostureHost): Promise<PostureFindings> {
  switch (host.platform) {
    case "linux":
      return linuxPosture(host);
    case "win32":
      return windowsPosture(host);
    case "darwin":
      return macosPosture(host);
    default: {
      const nothing = unknown(`niac does not know how to look at ${host.platform}`);
      return { diskEncryption: nothing, os: nothing, edr: nothing };
    }
  }
}
