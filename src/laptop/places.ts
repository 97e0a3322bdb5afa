import { posix, win32 } from "node:path";
import { UsageError } from "../base/index.ts";

/** What decides where a person's files are. */
export interface Computer {
  readonly platform: string;
  /** The person's home directory. */
  readonly home: string;
  /** The environment. */
  readonly lookup: (name: string) => string | undefined;
}

export const DEFAULT_PROFILE = "default";

const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;

/** Where profiles are kept: the XDG Base Directory specification's place, Windows' roaming folder, macOS' Application Support. */
export function profilesDirectory({ platform, home, lookup }: Computer): string {
  if (platform === "win32") {
    return win32.join(lookup("APPDATA") || win32.join(home, "AppData", "Roaming"), "niac");
  }
  if (platform === "darwin") return posix.join(home, "Library", "Application Support", "niac");
  return posix.join(configDirectory({ home, lookup }), "niac");
}

/** XDG_CONFIG_HOME; a relative one counts as none, as the specification says. */
export function configDirectory({ home, lookup }: Pick<Computer, "home" | "lookup">): string {
  const given = lookup("XDG_CONFIG_HOME") ?? "";
  return posix.isAbsolute(given) ? given : posix.join(home, ".config");
}

/** The profile of --profile or NIAC_PROFILE. Throws a UsageError. */
export function profileName(typed: string | undefined, lookup: Computer["lookup"]): string {
  const name = typed ?? (lookup("NIAC_PROFILE")?.trim() || DEFAULT_PROFILE);
  if (NAME.test(name)) return name;
  throw new UsageError(
    "profile-name",
    `--profile is ${JSON.stringify(name)}; it takes letters a to z, digits and hyphens, 63 at most, such as plant-7`,
  );
}
